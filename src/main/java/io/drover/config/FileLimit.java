package io.drover.config;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** How many client connections the process's limit of open files allows. */
final class FileLimit {
    /** The jar, logs, listeners, probes, the connections to Redis. */
    private static final long OTHERS = 200;

    private static final int LEAST = 16;

    private FileLimit() {}

    static int connections() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? connections(unix.getMaxFileDescriptorCount())
                // Elsewhere no such limit is known; this is what a common Linux limit gives.
                : connections(65_536);
    }

    /** Half of what is left, since each client may need a connection to a backend. */
    static int connections(long openFiles) {
        return (int) Math.max(LEAST, Math.min(Integer.MAX_VALUE, (openFiles - OTHERS) / 2));
    }
}
