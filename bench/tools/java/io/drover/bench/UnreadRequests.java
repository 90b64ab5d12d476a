package io.drover.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Requests that a frozen process was sent and cannot read, as the kernel tells of them (proc(5), {@code /proc/net/tcp}):
 * it has connections accepted and keeps their bytes. Probes are told from them by their size.
 */
final class UnreadRequests {
    private static final List<Path> TABLES = List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));
    private static final Pattern SPACES = Pattern.compile("\\s+");
    private static final int LOCAL = 1; // of a line's fields
    private static final int REMOTE = 2;
    private static final int STATE = 3;
    private static final int QUEUES = 4;
    private static final String LISTENING = "0A";
    private static final int REQUEST_BYTES = 1000;

    private final String port;
    private final Map<String, Long> unread = new HashMap<>();
    private int sent;
    private long lastNanos;

    /** What waits there already does not count. */
    UnreadRequests(int port) throws IOException {
        this.port = String.format(Locale.ROOT, ":%04X", port);
        look(0);
        sent = 0;
    }

    /** @param now of {@link System#nanoTime} */
    void look(long now) throws IOException {
        for (Path table : TABLES) {
            if (Files.exists(table)) {
                look(Files.readAllLines(table), now);
            }
        }
    }

    void look(List<String> table, long now) {
        for (String line : table) {
            String[] fields = SPACES.split(line.strip(), -1);
            if (fields.length <= QUEUES || !fields[LOCAL].endsWith(port) || fields[STATE].equals(LISTENING)) {
                continue;
            }
            long bytes = Long.parseLong(fields[QUEUES].substring(fields[QUEUES].indexOf(':') + 1), 16);
            Long before = unread.put(fields[REMOTE], bytes);
            if (bytes - (before == null ? 0 : before) >= REQUEST_BYTES) {
                sent++;
                lastNanos = now;
            }
        }
    }

    /** Requests that were sent since the beginning. */
    int sent() {
        return sent;
    }

    /** When the last of them was first seen. */
    long lastNanos() {
        return lastNanos;
    }

    /** Requests that the process will find when it goes on, wanted by now or not. */
    int waiting() {
        return (int)
                unread.values().stream().filter(bytes -> bytes >= REQUEST_BYTES).count();
    }
}
