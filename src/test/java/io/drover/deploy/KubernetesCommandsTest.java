package io.drover.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.testing.Secrets;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator runs beside kubectl: the maker of secrets, and the printer of rules. */
class KubernetesCommandsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path directory;

    private static String run(Path script) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("bash", script.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(script.toString()).isZero();
        return text;
    }

    @Test
    void theSecretsAreMadeOnceAndDroverTakesThem() throws Exception {
        try {
            new ProcessBuilder("openssl", "version").start().waitFor();
        } catch (IOException missing) {
            abort("skipped: openssl is not installed here");
        }
        Path secrets = directory.resolve("secrets");
        Kustomize.copy(Kustomize.SOURCE.resolve("secrets"), secrets);

        String key = run(secrets.resolve("make")).strip();
        assertThat(run(secrets.resolve("make"))).as("the second time").isEmpty();

        Properties admin = new Properties();
        admin.load(Files.newBufferedReader(secrets.resolve("admin.env")));
        assertThat(admin.getProperty("token-hash")).isEqualTo(Secrets.hash(admin.getProperty("token")));
        assertThat(admin.getProperty("scrape-token-hash")).isEqualTo(Secrets.hash(admin.getProperty("scrape-token")));
        assertThat(Files.readString(secrets.resolve("keys"))).contains(Secrets.hash(key));
        assertThat(Files.readString(secrets.resolve(".gitignore")))
                .contains("/admin.env", "/redis.env", "/keys", "/cache.key");
        Map<String, String> keys = Map.of(
                "admin.token-hash", admin.getProperty("token-hash"),
                "admin.scrape-token-hash", admin.getProperty("scrape-token-hash"),
                "auth.mode", "api-key",
                "auth.keys-file", secrets.resolve("keys").toString(),
                "cache.enabled", "true",
                "cache.encryption-key-file", secrets.resolve("cache.key").toString(),
                "redis.uri",
                        "redis://:"
                                + Files.readString(secrets.resolve("redis.env"))
                                        .strip()
                                        .replace("password=", "") + "@redis:6379");
        assertThat(ConfigLoader.load(new ConfigSource(Optional.empty(), Map.of(), List.of("http://a:11434"), keys))
                        .warnings())
                .isEmpty();
    }

    /** Whatever they say: an alert's text may have lines of its own, and templates. */
    @Test
    void theRulesOfPrometheusBecomeThoseOfItsOperator() throws Exception {
        Path kubernetes = directory.resolve("docker").resolve("kubernetes");
        Kustomize.copy(Kustomize.SOURCE, Files.createDirectories(kubernetes));
        Path rules = directory.resolve("docker").resolve("prometheus").resolve("rules");
        Kustomize.copy(Path.of("docker", "prometheus", "rules"), Files.createDirectories(rules));
        Files.writeString(rules.resolve("sample.yml"), """
                # A comment.
                groups:
                  - name: sample
                    rules:

                      - alert: Sample
                        expr: |
                          up == 0
                            and vector(1)
                        annotations:
                          summary: "{{ $labels.backend }}: gone"
                """);

        List<Manifest> printed = Manifest.parse(run(kubernetes.resolve("monitoring/rules")));

        for (Manifest rule : printed) {
            assertThat(rule.text("apiVersion")).isEqualTo("monitoring.coreos.com/v1");
            assertThat(rule.kind()).isEqualTo("PrometheusRule");
            Path source = rules.resolve(rule.name().replaceFirst("drover-", "") + ".yml");
            assertThat(rule.parts("spec")).isEqualTo(Manifest.parse(Files.readString(source)));
        }
        try (var files = Files.list(rules)) {
            assertThat(printed).hasSize((int)
                    files.filter(file -> file.toString().endsWith(".yml")).count());
        }
    }
}
