package io.drover.admission;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The users of a file as htpasswd writes it, a {@code name:hash} in each line. Immutable. */
final class Users {
    /** With it editors of Windows begin a file; the first user's name would begin with it. */
    private static final String BYTE_ORDER_MARK = "\ufeff";

    /** Nobody is let in. */
    static final Users NONE = new Users(Map.of());

    private static final int MOST_TOLD = 10;

    private static final PasswordHash NOBODY = password -> false;

    private final Map<String, PasswordHash> hashes;

    /** What an unknown user's password is checked against. */
    private final List<PasswordHash> decoys;

    private Users(Map<String, PasswordHash> hashes) {
        this.hashes = Map.copyOf(hashes);
        this.decoys = List.copyOf(hashes.values());
    }

    /**
     * Reads a file's text. Empty lines and those that begin with {@code #} are passed over; what stands behind a second
     * colon is a comment, as Nginx has it.
     *
     * @throws IOException if there are mistakes; the message tells their lines, and nothing of what stands there
     */
    static Users parse(String text) throws IOException {
        Map<String, PasswordHash> hashes = new HashMap<>();
        List<String> mistakes = new ArrayList<>();
        int number = 0;
        String lines = text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
        for (String line : lines.lines().toList()) {
            number++;
            if (!line.isBlank() && !line.startsWith("#")) {
                String where = "line " + number + ": ";
                mistake(line, hashes).ifPresent(mistake -> mistakes.add(where + mistake));
            }
        }
        if (!mistakes.isEmpty()) {
            int more = mistakes.size() - MOST_TOLD;
            List<String> told = more > 0 ? mistakes.subList(0, MOST_TOLD) : mistakes;
            throw new IOException(String.join("; ", told) + (more > 0 ? "; and " + more + " more" : ""));
        }
        return new Users(hashes);
    }

    private static Optional<String> mistake(String line, Map<String, PasswordHash> hashes) {
        String[] parts = line.strip().split(":", 3);
        if (parts.length < 2 || parts[0].isEmpty()) {
            return Optional.of("no user (expected: name:hash)");
        }
        Optional<PasswordHash> hash = PasswordHash.parse(parts[1]);
        if (hash.isEmpty()) {
            return Optional.of("a hash of an unknown form (expected: " + PasswordHash.EXPECTED + ")");
        }
        return hashes.putIfAbsent(parts[0], hash.get()) == null
                ? Optional.empty()
                : Optional.of("a user for the second time (expected: one line for each)");
    }

    /**
     * Whether this user has this password. A name that is not there costs as much as a wrong password: it is checked
     * against the hash of one who is, the same one each time, whatever comes of that.
     */
    boolean have(String name, byte[] password) {
        PasswordHash hash = hashes.get(name);
        boolean matches = (hash == null ? decoy(name) : hash).matches(password);
        return hash != null && matches;
    }

    private PasswordHash decoy(String name) {
        return decoys.isEmpty() ? NOBODY : decoys.get(Math.floorMod(name.hashCode(), decoys.size()));
    }

    int size() {
        return hashes.size();
    }
}
