package io.drover.config;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** How many client connections the process's limit of open files allows. */
final class FileLimit {
    /** The jar, logs, listeners, probes, the connections to Redis. */
    private static final long OTHERS = 200;

    private static final int LEAST = 16;

    private static final Pattern OPEN_FILES = Pattern.compile("Max open files\\s+([0-9]{1,18})\\s.*");

    private FileLimit() {}

    static int connections() {
        return connections(openFiles());
    }

    /** From the kernel itself where it tells, since the JVM's management takes longer to load than all that is read here. */
    static long openFiles() {
        try (Stream<String> limits = Files.lines(Path.of("/proc/self/limits"))) {
            return limits.map(OPEN_FILES::matcher)
                    .filter(Matcher::matches)
                    .mapToLong(limit -> Long.parseLong(limit.group(1)))
                    .findFirst()
                    .orElseGet(FileLimit::openFilesOfBean);
        } catch (IOException | UncheckedIOException e) {
            return openFilesOfBean();
        }
    }

    static long openFilesOfBean() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getMaxFileDescriptorCount()
                // Elsewhere no such limit is known; this is what a common Linux limit gives.
                : 65_536;
    }

    /** Half of what is left, since each client may need a connection to a backend. */
    static int connections(long openFiles) {
        return (int) Math.max(LEAST, Math.min(Integer.MAX_VALUE, (openFiles - OTHERS) / 2));
    }
}
