package io.drover.cache;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Where in an answer's bytes fresh values go at each replay. A value has the width of what it takes the place of, so that
 * neither a length nor another place ever changes.
 */
final class Patches {
    static final Patches NONE = new Patches(new int[0], new byte[0], 0);

    private static final Fresh[] KINDS = Fresh.values();
    private static final byte[] NOTHING = {};

    private final int[] offsets;
    /** Ordinals of {@link Fresh}. */
    private final byte[] kinds;

    private final int idWidth;

    /** @param offsets ascending; this and the next become its own */
    Patches(int[] offsets, byte[] kinds, int idWidth) {
        this.offsets = offsets;
        this.kinds = kinds;
        this.idWidth = idWidth;
    }

    int count() {
        return offsets.length;
    }

    int offset(int index) {
        return offsets[index];
    }

    byte kind(int index) {
        return kinds[index];
    }

    int idWidth() {
        return idWidth;
    }

    /** Bytes of memory. */
    int weight() {
        return offsets.length * (Integer.BYTES + Byte.BYTES);
    }

    private int width(int kind) {
        return kind == Fresh.TIME.ordinal()
                ? FreshValues.TIME_WIDTH
                : kind == Fresh.SECONDS.ordinal() ? FreshValues.SECONDS_WIDTH : idWidth;
    }

    /** Whether each lies in so many bytes, behind the one before. */
    boolean fit(int length) {
        int behind = 0;
        for (int i = 0; i < offsets.length; i++) {
            boolean known = kinds[i] >= 0 && kinds[i] < KINDS.length;
            if (!known || width(kinds[i]) <= 0 || offsets[i] < behind || offsets[i] > length - width(kinds[i])) {
                return false;
            }
            behind = offsets[i] + width(kinds[i]);
        }
        return true;
    }

    /** The values of one replay by the ordinals of their kinds; those that are not needed are empty. */
    byte[][] values(byte[] body, long wallMillis, RandomGenerator random) {
        byte[][] values = new byte[KINDS.length][];
        Arrays.fill(values, NOTHING);
        for (int i = 0; i < offsets.length; i++) {
            if (values[kinds[i]].length == 0) {
                values[kinds[i]] = value(KINDS[kinds[i]], body, offsets[i], wallMillis, random);
            }
        }
        return values;
    }

    private byte[] value(Fresh kind, byte[] body, int offset, long wallMillis, RandomGenerator random) {
        return switch (kind) {
            case TIME -> FreshValues.time(wallMillis, random);
            case SECONDS -> FreshValues.seconds10(wallMillis);
            case ID -> FreshValues.id(Arrays.copyOfRange(body, offset, offset + idWidth), random);
        };
    }
}
