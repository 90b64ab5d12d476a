package io.drover.admission;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of the store, as they were read last. A line with a mistake is left out and told of; it does not hold up the
 * others, which may be revocations. One thread at a time.
 */
final class StoredKeys {
    private static final Logger LOG = LoggerFactory.getLogger(StoredKeys.class);

    private List<KeyLine> keys = List.of();
    private boolean read;

    /** Of what the store held last. */
    private String digest = "";

    /** Whether the last try failed. */
    private boolean failed;

    /** Whether it has been read at all. */
    boolean isRead() {
        return read;
    }

    List<KeyLine> keys() {
        return keys;
    }

    /**
     * Takes what the store holds now, and says in the log what has changed.
     *
     * @param last the keys of now; what still says the same is not kept a second time
     * @return whether anything has
     */
    boolean take(Map<String, String> lines, ApiKeys last) {
        boolean first = !read;
        failed = false;
        String now = digestOf(lines);
        if (now.equals(digest)) {
            read = true;
            return first;
        }
        List<String> names = new ArrayList<>(lines.keySet());
        KeyLines parsed =
                new KeyLines(number -> KeyStore.REDIS_KEY + " " + FieldProblem.quote(names.get(number)), last);
        for (int i = 0; i < names.size(); i++) {
            parsed.add(i, names.get(i), lines.getOrDefault(names.get(i), ""));
        }
        keys = parsed.keys();
        // Only now: what could not be parsed, for want of memory, is tried again.
        digest = now;
        read = true;
        List<String> problems = parsed.problems();
        if (!problems.isEmpty()) {
            LOG.warn("keys in Redis with mistakes, which do not count:\n{}", String.join("\n", problems));
        }
        LOG.info("keys in Redis: {} keys", keys.size());
        return true;
    }

    /** The store could not be read. */
    void failed(String why) {
        if (!failed) {
            failed = true;
            LOG.warn("keys in Redis cannot be read, so that the last {} stay: {}", keys.size(), why);
        }
    }

    /** In the order in which they come: another order costs no more than a reading of what is known. */
    private static String digestOf(Map<String, String> lines) {
        MessageDigest sha256 = Sha256.algorithm();
        lines.forEach((name, line) -> {
            sha256.update((name + '\n' + line + '\n').getBytes(StandardCharsets.UTF_8));
            sha256.update((byte) 0);
        });
        return HexFormat.of().formatHex(sha256.digest());
    }
}
