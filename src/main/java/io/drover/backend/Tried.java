package io.drover.backend;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The backends that one request was sent to already. Belongs to that request and to its event loop. Costs no array in a
 * herd of up to 64.
 */
public final class Tried {
    private long first;
    private long @Nullable [] rest;

    public void add(Backend backend) {
        int word = backend.index() / Long.SIZE;
        // A shift counts modulo 64 by itself.
        long bit = 1L << backend.index();
        if (word == 0) {
            first |= bit;
            return;
        }
        long[] words = rest;
        if (words == null || words.length < word) {
            words = words == null ? new long[word] : Arrays.copyOf(words, word);
            rest = words;
        }
        words[word - 1] |= bit;
    }

    public boolean contains(Backend backend) {
        int word = backend.index() / Long.SIZE;
        long bit = 1L << backend.index();
        if (word == 0) {
            return (first & bit) != 0;
        }
        long[] words = rest;
        return words != null && word <= words.length && (words[word - 1] & bit) != 0;
    }
}
