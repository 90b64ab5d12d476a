package io.drover.admission;

import io.drover.admission.AuthVerdict.Reason;
import io.drover.config.SecretHash;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The keys that exist, by the hashes of their secrets. Immutable; asking allocates nothing.
 *
 * <p>A hash's first four bytes tell where in the table its search begins, and are not kept secret: they say nothing of a
 * secret of which they are the hash's. All of it is compared in constant time, for a wrong secret with a stand-in.
 */
final class ApiKeys {
    static final AuthVerdict UNKNOWN = AuthVerdict.refused(Reason.UNKNOWN, "unknown key");
    static final ApiKeys NONE = new ApiKeys(List.of());

    private static final int DIGEST_BYTES = 32;

    private static final KeyLine STAND_IN = new KeyLine(SecretHash.of(new byte[DIGEST_BYTES]), UNKNOWN);

    private static final BiPredicate<SecretHash, byte[]> SAME = SecretHash::matches;

    /** With open addressing; half of it at most is filled, so that a search ends soon. */
    private final @Nullable KeyLine[] table;

    private final int size;

    /** @param keys whose names and hashes differ */
    ApiKeys(Collection<KeyLine> keys) {
        size = keys.size();
        table = new KeyLine[Integer.highestOneBit(Math.max(size, 1)) * 4];
        for (KeyLine key : keys) {
            int slot = key.hash().hashCode() & table.length - 1;
            while (table[slot] != null) {
                slot = slot + 1 & table.length - 1;
            }
            table[slot] = key;
        }
    }

    /** Those of two sources; where both have a name or a hash, the first one's counts. */
    static ApiKeys of(List<KeyLine> first, List<KeyLine> second) {
        if (first.isEmpty() || second.isEmpty()) {
            return new ApiKeys(first.isEmpty() ? second : first);
        }
        KeyIndex names = new KeyIndex(first, KeyLine::name);
        KeyIndex hashes = new KeyIndex(first, KeyLine::hash);
        List<KeyLine> all = new ArrayList<>(first);
        second.stream()
                .filter(key -> names.find(key) < 0 && hashes.find(key) < 0)
                .forEach(all::add);
        return new ApiKeys(all);
    }

    int size() {
        return size;
    }

    /**
     * What is known of a secret.
     *
     * @param digest its SHA-256, 32 bytes
     * @param nowMillis since the epoch
     */
    AuthVerdict verdict(byte[] digest, long nowMillis) {
        KeyLine key = find(digest, SAME);
        return key == null ? UNKNOWN : key.at(nowMillis);
    }

    /** @param same whether a hash is that of a digest */
    @Nullable
    KeyLine find(byte[] digest, BiPredicate<SecretHash, byte[]> same) {
        int start = start(digest);
        int slot = start & table.length - 1;
        while (true) {
            KeyLine key = table[slot];
            if (key == null || key.hash().hashCode() == start) {
                KeyLine candidate = key == null ? STAND_IN : key;
                if (same.test(candidate.hash(), digest)) {
                    return candidate;
                }
                if (key == null) {
                    return null;
                }
            }
            slot = slot + 1 & table.length - 1;
        }
    }

    /** The one that says the same as {@code key}; null if none does. */
    @Nullable
    KeyLine same(KeyLine key) {
        int slot = key.hash().hashCode() & table.length - 1;
        while (true) {
            KeyLine each = table[slot];
            if (each == null || each.equals(key)) {
                return each;
            }
            slot = slot + 1 & table.length - 1;
        }
    }

    /** As {@link SecretHash#hashCode}. */
    private static int start(byte[] digest) {
        return (digest[0] & 0xff) << 24 | (digest[1] & 0xff) << 16 | (digest[2] & 0xff) << 8 | (digest[3] & 0xff);
    }
}
