package io.drover.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.AbstractConstruct;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/** What {@code compose.yml} and its overrides promise; whether an engine runs them is what {@code docker/verify} tells. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ComposeTest {
    private static final Path STACK = Path.of("compose.yml");
    private static final List<Path> FILES =
            List.of(STACK, Path.of("docker", "compose.cpu.yml"), Path.of("docker", "compose.one-gpu.yml"));

    /** They do their work and end. */
    private static final Set<String> ONE_SHOT = Set.of("tokens", "models");

    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Z0-9_]+)");
    private static final Pattern SETTING = Pattern.compile("(?m)^([A-Z0-9_]+)=");
    private static final Pattern TAG = Pattern.compile(":(\\$\\{OLLAMA_VERSION}|v?\\d+\\.\\d+\\S*)$");

    @Test
    void only_Drover_and_Grafana_publish_ports() throws IOException {
        for (Path file : FILES) {
            Set<String> publishing = new TreeSet<>();
            services(file).forEach((name, service) -> {
                if (service.containsKey("ports")) {
                    publishing.add(name);
                }
            });
            assertThat(publishing)
                    .as(file.toString())
                    .isEqualTo(file.equals(STACK) ? Set.of("drover", "grafana") : Set.of());
            assertThat(Files.readString(file)).doesNotContain("network_mode: host");
        }
    }

    @Test
    void nothing_but_what_must_can_reach_out() throws IOException {
        Set<String> open = new TreeSet<>();
        map(yaml(STACK).get("networks")).forEach((name, network) -> {
            if (!Boolean.TRUE.equals(map(network).get("internal"))) {
                open.add(name);
            }
        });
        assertThat(open).containsExactlyInAnyOrder("edge", "backends");
        services(STACK).forEach((name, service) -> assertThat(
                        service.containsKey("networks") || "none".equals(service.get("network_mode")))
                .as(name + " has networks of its own")
                .isTrue());
    }

    @Test
    void every_image_is_pinned() throws IOException {
        services(STACK).forEach((name, service) -> assertThat(String.valueOf(service.get("image")))
                .as(name)
                .containsPattern(TAG));
        for (String line : Files.readAllLines(Path.of("docker", "Dockerfile"))) {
            if (line.startsWith("FROM ")) {
                assertThat(line).containsPattern(":\\d+\\.\\d+[^ ]*( AS \\w+)?$");
            }
        }
    }

    @Test
    void every_service_is_watched_bounded_and_started_again() throws IOException {
        services(STACK).forEach((name, service) -> {
            if (ONE_SHOT.contains(name)) {
                assertThat(service.get("restart")).as(name + ": restart").isIn("no", "on-failure:5");
            } else {
                assertThat(service.get("restart")).as(name + ": restart").isEqualTo("unless-stopped");
                // Drover's stands in its image.
                if (!name.equals("drover")) {
                    assertThat(map(service.get("healthcheck")))
                            .as(name + ": healthcheck")
                            .containsKeys("test", "interval", "timeout", "retries");
                }
            }
            Map<String, Object> limits =
                    map(map(map(service.get("deploy")).get("resources")).get("limits"));
            assertThat(limits).as(name + ": limits").containsKey("memory");
            assertThat(map(service.get("healthcheck")).getOrDefault("test", "").toString())
                    .as(name + ": its image has no curl")
                    .doesNotContain("curl");
        });
    }

    @Test
    void overrides_change_only_services_that_are_there() throws IOException {
        for (Path file : FILES) {
            assertThat(services(STACK).keySet()).containsAll(services(file).keySet());
        }
    }

    @Test
    void with_one_GPU_there_is_one_server_whether_real_or_simulated() throws IOException {
        Map<String, Map<String, Object>> changed = services(Path.of("docker", "compose.one-gpu.yml"));
        services(STACK).keySet().stream().filter(name -> name.endsWith("-2")).forEach(name -> assertThat(
                        list(changed.getOrDefault(name, Map.of()).get("profiles")))
                .as(name + ": profiles")
                .containsExactly("second-gpu"));
    }

    @Test
    void every_setting_is_in_the_example_and_every_one_there_is_used() throws IOException {
        Set<String> used = new TreeSet<>();
        for (Path file : FILES) {
            used.addAll(all(VARIABLE, withoutComments(file)));
        }
        Set<String> offered = all(SETTING, Files.readString(Path.of(".env.example")));
        // Compose itself reads this one.
        assertThat(offered.remove("COMPOSE_PROFILES")).isTrue();
        assertThat(offered).isEqualTo(used);
    }

    @Test
    void what_is_mounted_is_there() throws IOException {
        for (Path file : FILES) {
            services(file).forEach((name, service) -> list(service.get("volumes")).stream()
                    .map(String::valueOf)
                    .filter(volume -> volume.startsWith("./"))
                    .forEach(volume -> assertThat(Path.of(volume.substring(2, volume.indexOf(':'))))
                            .as(name)
                            .exists()));
        }
    }

    @Test
    void the_configuration_that_Drover_is_given_is_mounted() throws IOException {
        assertThat(list(services(STACK).get("drover").get("volumes"))).contains("./docker/drover:/etc/drover:ro");
        for (Path file : List.of(STACK, Path.of("docker", "compose.one-gpu.yml"))) {
            List<Object> command = list(services(file).get("drover").get("command"));
            String configuration = String.valueOf(command.get(command.indexOf("-c") + 1));
            assertThat(configuration).startsWith("/etc/drover/");
            assertThat(Path.of("docker", configuration.substring("/etc/".length())))
                    .exists();
        }
    }

    /** Of a file alone a container goes on seeing the old one when an editor puts a new one in its place. */
    @Test
    void what_a_reload_reads_is_mounted_with_its_directory() throws IOException {
        for (Path file : FILES) {
            Map<String, Object> drover = services(file).getOrDefault("drover", Map.of());
            assertThat(list(drover.get("volumes")).stream().map(String::valueOf))
                    .as(file.toString())
                    .noneMatch(volume -> volume.startsWith("./")
                            && Files.isRegularFile(Path.of(volume.substring(2, volume.indexOf(':')))));
        }
    }

    /** Compose's files and Drover's own say one version. */
    @Test
    void the_image_tells_the_version_of_the_project() throws IOException {
        String version = all(
                        Pattern.compile("<artifactId>drover</artifactId>\\s*<version>([^<]+)<"),
                        Files.readString(Path.of("pom.xml")))
                .iterator()
                .next();
        assertThat(Files.readString(Path.of("docker", "Dockerfile")))
                .contains("org.opencontainers.image.version=\"" + version + "\"");
        assertThat(services(STACK).get("drover").get("image")).isEqualTo("drover:" + version);
    }

    private static Set<String> all(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map((MatchResult found) -> found.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String withoutComments(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> !line.strip().startsWith("#"))
                .collect(Collectors.joining("\n"));
    }

    private static Map<String, Map<String, Object>> services(Path file) throws IOException {
        Map<String, Map<String, Object>> services = new TreeMap<>();
        map(yaml(file).get("services")).forEach((name, service) -> services.put(name, map(service)));
        return services;
    }

    private static Map<String, Object> yaml(Path file) throws IOException {
        return map(new Yaml(new ComposeTags()).load(Files.readString(file)));
    }

    private static Map<String, Object> map(Object value) {
        Map<String, Object> typed = new TreeMap<>();
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, entry) -> typed.put(String.valueOf(key), entry == null ? Map.of() : entry));
        }
        return typed;
    }

    private static List<Object> list(Object value) {
        return value instanceof List<?> list ? new ArrayList<>(list) : List.of();
    }

    /** Reads {@code !reset} and {@code !override}, which tell Compose how to merge, as what stands behind them. */
    private static final class ComposeTags extends SafeConstructor {
        ComposeTags() {
            super(new LoaderOptions());
            for (String tag : List.of("!reset", "!override")) {
                yamlConstructors.put(new Tag(tag), new ConstructAnything());
            }
        }

        private final class ConstructAnything extends AbstractConstruct {
            @Override
            public Object construct(Node node) {
                if (node instanceof MappingNode mapping) {
                    return constructMapping(mapping);
                }
                return node instanceof SequenceNode sequence
                        ? constructSequence(sequence)
                        : ((ScalarNode) node).getValue();
            }
        }
    }
}
