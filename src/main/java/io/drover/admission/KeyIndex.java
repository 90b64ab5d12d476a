package io.drover.admission;

import java.util.List;
import java.util.function.Function;

/**
 * Finds keys of a growing list by what each has for itself, such as its name. Takes some 12 bytes for each of them, where
 * a map would take 60. One thread.
 */
final class KeyIndex {
    private static final int FIRST_SLOTS = 16;

    /** Spreads hashes of names that differ in their last letters only. */
    private static final int GOLDEN = 0x9E3779B9;

    private final List<KeyLine> keys;
    private final Function<KeyLine, Object> trait;

    /** Places in the list plus 1, with open addressing; 0: free. At most half of it is filled. */
    private int[] slots = new int[FIRST_SLOTS];

    private int size;

    /** @param keys of which the first are indexed; its owner goes on to add to it */
    KeyIndex(List<KeyLine> keys, Function<KeyLine, Object> trait) {
        this.keys = keys;
        this.trait = trait;
        catchUp();
    }

    /** Indexes what the list has got since. */
    void catchUp() {
        while (size < keys.size()) {
            if (2 * (size + 1) > slots.length) {
                slots = new int[2 * slots.length];
                for (int i = 0; i < size; i++) {
                    put(i);
                }
            }
            put(size);
            size++;
        }
    }

    private void put(int place) {
        slots[slot(trait.apply(keys.get(place)))] = place + 1;
    }

    /** Where in the list a key is that has the same; -1: nowhere. */
    int find(KeyLine key) {
        return slots[slot(trait.apply(key))] - 1;
    }

    /** Where such a key stands, or would stand. */
    private int slot(Object wanted) {
        int slot = (wanted.hashCode() * GOLDEN) >>> (Integer.numberOfLeadingZeros(slots.length) + 1);
        while (slots[slot] != 0 && !trait.apply(keys.get(slots[slot] - 1)).equals(wanted)) {
            slot = (slot + 1) & (slots.length - 1);
        }
        return slot;
    }
}
