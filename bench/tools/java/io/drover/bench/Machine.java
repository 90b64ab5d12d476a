package io.drover.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the figures depend on and a reader cannot know. */
final class Machine {
    private Machine() {}

    static Map<String, String> describe() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "processor",
                read("/proc/cpuinfo")
                        .lines()
                        .filter(line -> line.startsWith("model name"))
                        .findFirst()
                        .map(line -> line.replaceFirst(".*:\\s*", ""))
                        .orElse("unknown"));
        // Not availableProcessors(): this process is kept off the proxies' core.
        facts.put(
                "cores",
                String.valueOf(read("/proc/cpuinfo")
                        .lines()
                        .filter(line -> line.startsWith("processor"))
                        .count()));
        facts.put(
                "kernel",
                read("/proc/sys/kernel/ostype").strip() + " "
                        + read("/proc/sys/kernel/osrelease").strip());
        facts.put("virtual", read("/proc/cpuinfo").contains("hypervisor") ? "yes" : "no");
        facts.put(
                "congestion control",
                read("/proc/sys/net/ipv4/tcp_congestion_control").strip());
        facts.put("wrk", Programs.firstLine(List.of("wrk", "-v")));
        return facts;
    }

    private static String read(String file) {
        try {
            return Files.readString(Path.of(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}
