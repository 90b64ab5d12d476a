package io.drover.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Who keeps answers: Drover, with and without Redis, Nginx, and the gateway as it is published. */
final class CacheContenders {
    static final String MEMORY = "drover";
    static final String REDIS = "drover-redis";
    /** Drover that keeps nothing: the plain relay. */
    static final String OFF = "drover-off";

    static final String NGINX = "nginx";
    static final String GATEWAY = "gateway";

    static final int OFF_PORT = 8122;
    private static final int MEMORY_PORT = 8121;
    private static final int NGINX_PORT = 8123;
    private static final int GATEWAY_PORT = 8124;
    private static final int REDIS_PORT = 8125;
    private static final int ADMIN_OFFSET = 1000;
    /** Too little for the answers that are asked for: nearly each of them comes from Redis. */
    private static final String LITTLE_MEMORY = "64KiB";

    private final Path root;
    private final Path folder;
    private final String java;

    /**
     * @param root of the project
     * @param folder for what the peers write
     * @param java runs Drover
     */
    CacheContenders(Path root, Path folder, String java) {
        this.root = root;
        this.folder = folder;
        this.java = java;
    }

    Contender memory() {
        return drover(MEMORY, MEMORY_PORT, Map.of());
    }

    Contender off() {
        return drover(OFF, OFF_PORT, Map.of("BENCH_CACHE", "false"));
    }

    /** @param redis its port */
    Contender redis(int redis) {
        return drover(
                REDIS,
                REDIS_PORT,
                Map.of("BENCH_REDIS", "redis://127.0.0.1:" + redis, "BENCH_CACHE_MEMORY", LITTLE_MEMORY));
    }

    private Contender drover(String name, int port, Map<String, String> settings) {
        Map<String, String> environment = new TreeMap<>(settings);
        environment.put("BENCH_LISTEN", "127.0.0.1:" + port);
        environment.put("BENCH_ADMIN_LISTEN", "127.0.0.1:" + (port + ADMIN_OFFSET));
        return new Contender(
                name,
                port,
                List.of(
                        java,
                        "@" + root.resolve("conf/jvm.options"),
                        "-jar",
                        root.resolve("target/drover.jar").toString(),
                        "run",
                        "-c",
                        peer("drover.conf")),
                environment,
                Programs.firstLine(List.of(java, "-version")));
    }

    /** @param program or where it is; empty if it is not installed */
    Optional<Contender> nginx(String program) {
        return Programs.locate(program)
                .map(nginx -> new Contender(
                        NGINX,
                        NGINX_PORT,
                        List.of(nginx, "-p", folder.toString(), "-c", peer("nginx.conf"), "-g", "daemon off;"),
                        Map.of(),
                        Programs.firstLine(List.of(nginx, "-v"))));
    }

    /**
     * The script, for node.
     *
     * @param program or where it is; empty if it is not installed
     * @param redis its port
     */
    Optional<Contender> gateway(String program, int redis) {
        return Programs.locate(program).map(node -> {
            List<String> command = new ArrayList<>(
                    List.of(node, peer("gateway.js"), String.valueOf(GATEWAY_PORT), String.valueOf(redis)));
            Contenders.BACKENDS.forEach(backend -> command.add(String.valueOf(backend)));
            return new Contender(
                    GATEWAY,
                    GATEWAY_PORT,
                    command,
                    Map.of(),
                    "bench/peers/cache/gateway.js, node " + Programs.firstLine(List.of(node, "--version")));
        });
    }

    private String peer(String file) {
        return root.resolve("bench/peers/cache").resolve(file).toString();
    }
}
