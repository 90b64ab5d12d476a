package io.drover.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** Drover, the peers that are installed, and those of the command line. */
final class Contenders {
    /** Where the backends listen; the files in {@code bench/peers} say the same. */
    static final List<Integer> BACKENDS = List.of(7101, 7102);

    static final String DROVER = "drover";

    private static final int DROVER_PORT = 8101;
    private static final int OTHER_DROVER_PORT = 8110;
    private static final int NGINX_PORT = 8103;
    private static final int HAPROXY_PORT = 8104;
    private static final int ADMIN_OFFSET = 1000;
    private static final Pattern PEER = Pattern.compile("([\\w.-]+)=(\\d{1,5}):(.+)");

    private final Path root;
    private final Path folder;
    private final String java;

    /**
     * @param root of the project
     * @param folder for what the peers write
     * @param java runs Drover
     */
    Contenders(Path root, Path folder, String java) {
        this.root = root;
        this.folder = folder;
        this.java = java;
    }

    /** Drover on each of {@code transports}; on the best one it is called by its name alone. */
    List<Contender> drovers(List<String> transports) {
        return IntStream.range(0, transports.size())
                .mapToObj(i -> drover(transports.get(i), i == 0 ? DROVER_PORT : OTHER_DROVER_PORT + i))
                .toList();
    }

    private Contender drover(String transport, int port) {
        boolean best = transport.equals("auto");
        Path jar = root.resolve("target/drover.jar");
        return new Contender(
                best ? DROVER : DROVER + "-" + transport,
                port,
                List.of(
                        java,
                        "@" + root.resolve("conf/jvm.options"),
                        "-jar",
                        jar.toString(),
                        "run",
                        "-c",
                        peer("drover.conf")),
                Map.of(
                        "BENCH_LISTEN", "127.0.0.1:" + port,
                        "BENCH_ADMIN_LISTEN", "127.0.0.1:" + (port + ADMIN_OFFSET),
                        "BENCH_TRANSPORT", transport),
                Programs.firstLine(List.of(java, "-version")));
    }

    /** @param program or where it is; empty if it is not installed */
    Optional<Contender> nginx(String program) {
        return Programs.locate(program)
                .map(nginx -> new Contender(
                        "nginx",
                        NGINX_PORT,
                        List.of(nginx, "-p", folder.toString(), "-c", peer("nginx.conf"), "-g", "daemon off;"),
                        Map.of(),
                        Programs.firstLine(List.of(nginx, "-v"))));
    }

    /** @param program or where it is; empty if it is not installed */
    Optional<Contender> haproxy(String program) {
        return Programs.locate(program)
                .map(haproxy -> new Contender(
                        "haproxy",
                        HAPROXY_PORT,
                        List.of(haproxy, "-db", "-q", "-f", peer("haproxy.cfg")),
                        Map.of(),
                        Programs.firstLine(List.of(haproxy, "-v"))));
    }

    /**
     * Any other proxy.
     *
     * @param text {@code NAME=PORT:COMMAND}
     */
    static Contender other(String text) {
        Matcher matcher = PEER.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "--peer " + text + " (expected: NAME=PORT:COMMAND, such as olla=40114:olla --config olla.yaml)");
        }
        return new Contender(
                matcher.group(1),
                Integer.parseInt(matcher.group(2)),
                List.of("sh", "-c", "exec " + matcher.group(3)),
                Map.of(),
                matcher.group(3));
    }

    private String peer(String file) {
        return root.resolve("bench/peers").resolve(file).toString();
    }
}
