package io.drover.deploy;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The overlays of {@code docker/kubernetes}, as {@code kustomize} or {@code kubectl} of this machine builds them. */
final class Kustomize {
    static final Path SOURCE = Path.of("docker", "kubernetes");
    private static final List<List<String>> COMMANDS =
            List.of(List.of("kustomize", "build"), List.of("kubectl", "kustomize"));
    private static final Map<String, List<Manifest>> BUILT = new ConcurrentHashMap<>();

    private Kustomize() {}

    /** Everything that an overlay deploys; aborts the test where nothing can build it. */
    static List<Manifest> overlay(String name) {
        return BUILT.computeIfAbsent(name, key -> {
            try {
                return Manifest.parse(build(key));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        });
    }

    private static String build(String overlay) throws IOException, InterruptedException {
        Path copy = Files.createTempDirectory("kubernetes");
        copy(SOURCE, copy);
        credentials(copy.resolve("secrets"));
        for (List<String> command : COMMANDS) {
            List<String> words = new ArrayList<>(command);
            words.add(copy.resolve("overlays").resolve(overlay).toString());
            Path errors = copy.resolve("errors");
            Process process;
            try {
                process =
                        new ProcessBuilder(words).redirectError(errors.toFile()).start();
            } catch (IOException missing) {
                continue;
            }
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            if (status != 0 || Files.size(errors) > 0) {
                throw new AssertionError(words + " ended with " + status + ": " + Files.readString(errors));
            }
            return text;
        }
        return abort("skipped: neither kustomize nor kubectl is installed here");
    }

    /** What {@code secrets/make} makes, without its need for openssl. */
    private static void credentials(Path secrets) throws IOException {
        Files.writeString(secrets.resolve("admin.env"), """
                token=t
                token-hash=sha256:%s
                scrape-token=s
                scrape-token-hash=sha256:%s
                """.formatted("0".repeat(64), "1".repeat(64)));
        Files.writeString(secrets.resolve("redis.env"), "password=p\n");
        Files.writeString(secrets.resolve("keys"), "# none\n");
        Files.writeString(secrets.resolve("cache.key"), "A".repeat(43) + "=\n");
    }

    static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
    }
}
