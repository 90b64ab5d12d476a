package io.drover.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Requests for which a proxy could not connect to a backend, as it tells itself: one that is gone cannot count them.
 * Probes are not among them.
 */
interface Refusals {
    /**
     * So far.
     *
     * @param port of the backend
     */
    long at(int port) throws IOException;

    /** Of Drover's metrics. */
    static Refusals ofDrover(int adminPort) {
        return port -> Fetch.text("http://127.0.0.1:" + adminPort + "/metrics")
                .lines()
                .filter(line -> line.startsWith("drover_upstream_connections_total{")
                        && line.contains(":" + port + "\"")
                        && line.contains("result=\"refused\""))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /** Of Nginx's log of errors. */
    static Refusals ofNginx(Path log) {
        return port -> {
            if (!Files.exists(log)) {
                return 0;
            }
            try (Stream<String> lines = Files.lines(log)) {
                return lines.filter(line -> line.contains("Connection refused") && line.contains(":" + port + "/"))
                        .count();
            }
        };
    }

    /** Of HAProxy's statistics: each failed connect is a retry, a redispatch or, if it was the last one, an error. */
    static Refusals ofHaproxy(int statsPort) {
        return port -> {
            List<String> lines = Fetch.text("http://127.0.0.1:" + statsPort + "/;csv")
                    .lines()
                    .toList();
            List<String> names =
                    Arrays.asList(lines.get(0).replaceFirst("^# ", "").split(",", -1));
            return lines.stream()
                    .map(line -> line.split(",", -1))
                    .filter(fields -> fields.length > 2 && fields[0].equals("ollama") && fields[1].endsWith("-" + port))
                    .mapToLong(fields -> List.of("econ", "wretr", "wredis").stream()
                            .mapToLong(name -> Long.parseLong("0" + fields[names.indexOf(name)]))
                            .sum())
                    .sum();
        };
    }
}
