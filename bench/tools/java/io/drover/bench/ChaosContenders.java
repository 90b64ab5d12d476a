package io.drover.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The proxies of {@code bench/chaos}, configured by the files in {@code bench/peers/chaos}. */
final class ChaosContenders {
    static final String DROVER = "drover";
    static final String NGINX = "nginx";
    static final String HAPROXY = "haproxy";

    /** Where the backends listen; the files say the same. */
    static final List<Integer> BACKENDS = List.of(7301, 7302, 7303, 7304);

    static final int DROVER_ADMIN = 9301;

    private static final int DROVER_PORT = 8301;
    private static final int NGINX_PORT = 8303;
    private static final int HAPROXY_PORT = 8304;
    private static final int HAPROXY_STATS = 9304;

    private final Path root;
    private final Path folder;
    private final ChaosTimes times;

    /**
     * @param root of the project
     * @param folder for what the proxies write
     */
    ChaosContenders(Path root, Path folder, ChaosTimes times) {
        this.root = root;
        this.folder = folder;
        this.times = times;
    }

    Contender drover(String java) {
        return new Contender(
                DROVER,
                DROVER_PORT,
                droverCommand(root, java, file("drover.conf")),
                Map.of(
                        "CHAOS_SLOW_START", millis(),
                        "CHAOS_ACCESS_LOG", folder.resolve("access.log").toString()),
                Programs.firstLine(List.of(java, "-version")));
    }

    static List<String> droverCommand(Path root, String java, String config) {
        return List.of(
                java,
                "@" + root.resolve("conf/jvm.options"),
                "-XX:SharedArchiveFile=" + root.resolve("target/drover.jsa"),
                "-jar",
                root.resolve("target/drover.jar").toString(),
                "run",
                "-c",
                config);
    }

    /** @param program or where it is; empty if it is not installed */
    Optional<Contender> nginx(String program) {
        return Programs.locate(program)
                .map(nginx -> new Contender(
                        NGINX,
                        NGINX_PORT,
                        List.of(
                                nginx,
                                "-e",
                                nginxLog().toString(),
                                "-p",
                                folder.toString(),
                                "-c",
                                file("nginx.conf"),
                                "-g",
                                "daemon off;"),
                        Map.of(),
                        Programs.firstLine(List.of(nginx, "-v"))));
    }

    /** @param program or where it is; empty if it is not installed */
    Optional<Contender> haproxy(String program) {
        return Programs.locate(program)
                .map(haproxy -> new Contender(
                        HAPROXY,
                        HAPROXY_PORT,
                        List.of(haproxy, "-db", "-q", "-f", file("haproxy.cfg")),
                        Map.of("CHAOS_SLOW_START", millis()),
                        Programs.firstLine(List.of(haproxy, "-v"))));
    }

    Refusals refusals(Contender contender) {
        return switch (contender.name()) {
            case NGINX -> Refusals.ofNginx(nginxLog());
            case HAPROXY -> Refusals.ofHaproxy(HAPROXY_STATS);
            default -> Refusals.ofDrover(DROVER_ADMIN);
        };
    }

    private Path nginxLog() {
        return folder.resolve("error.log");
    }

    private String millis() {
        return times.slowStart().toMillis() + "ms";
    }

    private String file(String name) {
        return root.resolve("bench/peers/chaos").resolve(name).toString();
    }
}
