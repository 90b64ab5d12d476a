package io.drover.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.google.gson.JsonElement;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.config.DroverConfig;
import io.drover.config.LoadedConfig;
import io.kubernetes.client.openapi.JSON;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1Deployment;
import io.kubernetes.client.openapi.models.V1Ingress;
import io.kubernetes.client.openapi.models.V1Namespace;
import io.kubernetes.client.openapi.models.V1NetworkPolicy;
import io.kubernetes.client.openapi.models.V1PodDisruptionBudget;
import io.kubernetes.client.openapi.models.V1Secret;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1StatefulSet;
import io.kubernetes.client.openapi.models.V2HorizontalPodAutoscaler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each overlay deploys: valid by the schemas of Kubernetes' API, whole, and as careful as it says. */
class KubernetesTest {
    private static final Map<String, Class<?>> SCHEMAS = Map.ofEntries(
            Map.entry("v1 ConfigMap", V1ConfigMap.class),
            Map.entry("v1 Namespace", V1Namespace.class),
            Map.entry("v1 Secret", V1Secret.class),
            Map.entry("v1 Service", V1Service.class),
            Map.entry("apps/v1 Deployment", V1Deployment.class),
            Map.entry("apps/v1 StatefulSet", V1StatefulSet.class),
            Map.entry("autoscaling/v2 HorizontalPodAutoscaler", V2HorizontalPodAutoscaler.class),
            Map.entry("networking.k8s.io/v1 Ingress", V1Ingress.class),
            Map.entry("networking.k8s.io/v1 NetworkPolicy", V1NetworkPolicy.class),
            Map.entry("policy/v1 PodDisruptionBudget", V1PodDisruptionBudget.class));

    /** Of the Prometheus operator, whose schemas are not in the client; what matters of it is tested by its references. */
    private static final Set<String> FOREIGN = Set.of("monitoring.coreos.com/v1 ServiceMonitor");

    private static String type(Manifest manifest) {
        return manifest.text("apiVersion") + " " + manifest.kind();
    }

    /** Types, required fields, and no field that the API does not know. */
    private static void assertValid(Manifest manifest) {
        Class<?> schema = SCHEMAS.get(type(manifest));
        if (schema == null) {
            assertThat(type(manifest)).isIn(FOREIGN);
            return;
        }
        assertThatCode(() -> JSON.getGson().fromJson(manifest.json(), schema))
                .as(manifest.toString())
                .doesNotThrowAnyException();
    }

    private static List<Manifest> ofKind(List<Manifest> all, String... kinds) {
        return all.stream().filter(each -> List.of(kinds).contains(each.kind())).toList();
    }

    private static Manifest one(List<Manifest> all, String kind, String name) {
        List<Manifest> found = ofKind(all, kind).stream()
                .filter(each -> each.name().equals(name))
                .toList();
        assertThat(found).as("%s %s", kind, name).hasSize(1);
        return found.get(0);
    }

    private static List<Manifest> workloads(List<Manifest> all) {
        return ofKind(all, "Deployment", "StatefulSet");
    }

    private static List<Manifest> containers(Manifest workload) {
        return Stream.of("spec.initContainers", "spec.containers")
                .flatMap(path -> workload.pod().parts(path).stream())
                .toList();
    }

    /** The workloads whose pods have these labels. */
    private static List<Manifest> selected(List<Manifest> all, Map<String, String> labels) {
        return workloads(all).stream()
                .filter(each -> each.pod().fields("metadata.labels").entrySet().containsAll(labels.entrySet()))
                .toList();
    }

    @Test
    void eachFileIsValidByItself() throws Exception {
        try (Stream<Path> files = Files.walk(Kustomize.SOURCE)) {
            List<Manifest> all = files.filter(file -> file.toString().endsWith(".yaml"))
                    .filter(file -> !List.of("kustomization.yaml", "skaffold.yaml", "adapter-values.yaml")
                            .contains(file.getFileName().toString()))
                    .flatMap(file -> Manifest.parse(read(file)).stream())
                    .toList();

            assertThat(all).hasSizeGreaterThan(15).allSatisfy(KubernetesTest::assertValid);
        }
    }

    @Test
    void aFieldThatTheApiDoesNotKnowIsFound() {
        Manifest wrong = Manifest.parse("""
                apiVersion: policy/v1
                kind: PodDisruptionBudget
                metadata: { name: drover }
                spec: { maxUnavailabel: 1 }
                """).get(0);

        assertThatCode(() -> assertValid(wrong)).hasMessageContaining("maxUnavailabel");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "gpu", "demo"})
    void anOverlayIsValid(String overlay) {
        List<Manifest> all = Kustomize.overlay(overlay);

        assertThat(all).hasSizeGreaterThan(15).allSatisfy(KubernetesTest::assertValid);
        assertThat(all.stream().map(each -> type(each) + " " + each.name())).doesNotHaveDuplicates();
        assertThat(all)
                .filteredOn(each -> !each.kind().equals("Namespace"))
                .allSatisfy(each -> assertThat(each.text("metadata.namespace")).isEqualTo("drover"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "gpu", "demo"})
    void whatPodsReferToIsThere(String overlay) {
        List<Manifest> all = Kustomize.overlay(overlay);
        for (Manifest workload : workloads(all)) {
            Manifest pod = workload.pod();
            for (Manifest volume : pod.parts("spec.volumes")) {
                volume.texts("configMap.name").forEach(name -> one(all, "ConfigMap", name));
                for (String name : volume.texts("secret.secretName")) {
                    assertThat(one(all, "Secret", name).fields("data").keySet())
                            .containsAll(volume.texts("secret.items.key"));
                }
            }
            Set<String> volumes = Stream.of("spec.volumes.name", "spec.volumeClaimTemplates.metadata.name")
                    .flatMap(path -> Stream.of(pod, workload).flatMap(each -> each.texts(path).stream()))
                    .collect(Collectors.toSet());
            for (Manifest container : containers(workload)) {
                String where = workload + ", " + container.text("name");
                assertThat(volumes).as(where).containsAll(container.texts("volumeMounts.name"));
                container.texts("envFrom.configMapRef.name").forEach(name -> one(all, "ConfigMap", name));
                for (Manifest reference : container.parts("env.valueFrom.secretKeyRef")) {
                    assertThat(one(all, "Secret", reference.text("name")).fields("data"))
                            .as(where)
                            .containsKey(reference.text("key"));
                }
                assertThat(container.texts("ports.name"))
                        .as(where)
                        .containsAll(Stream.of("startupProbe", "readinessProbe", "livenessProbe")
                                .flatMap(probe -> Stream.of(".httpGet.port", ".tcpSocket.port")
                                        .flatMap(port -> container.texts(probe + port).stream()))
                                .toList());
                assertScriptsExist(all, workload, container);
                // With a tag, and none that moves.
                assertThat(container.text("image")).as(where).matches("[^:]+:.*\\d.*");
            }
            if (workload.kind().equals("StatefulSet")) {
                one(all, "Service", workload.text("spec.serviceName"));
            }
        }
    }

    private static void assertScriptsExist(List<Manifest> all, Manifest workload, Manifest container) {
        List<String> commands = Stream.of(
                        "command", "lifecycle.postStart.exec.command", "lifecycle.preStop.exec.command")
                .flatMap(path -> container.texts(path).stream())
                .filter(word -> word.startsWith("/opt/scripts/"))
                .toList();
        if (commands.isEmpty()) {
            return;
        }
        Manifest volume = workload.pod().parts("spec.volumes").stream()
                .filter(each -> each.text("name").equals("scripts"))
                .findFirst()
                .orElseThrow();
        Map<String, String> scripts =
                one(all, "ConfigMap", volume.text("configMap.name")).fields("data");
        assertThat(commands)
                .allSatisfy(command -> assertThat(scripts).containsKey(command.substring("/opt/scripts/".length())));
        assertThat(scripts).containsKey("ask");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "gpu", "demo"})
    void whoeverSelectsPodsFindsThem(String overlay) {
        List<Manifest> all = Kustomize.overlay(overlay);
        for (Manifest workload : workloads(all)) {
            assertThat(selected(all, workload.fields("spec.selector.matchLabels")))
                    .containsExactly(workload);
            workload.pod().parts("spec.topologySpreadConstraints.labelSelector").forEach(each -> assertThat(
                            selected(all, each.fields("matchLabels")))
                    .containsExactly(workload));
        }
        for (Manifest service : ofKind(all, "Service")) {
            List<Manifest> pods = selected(all, service.fields("spec.selector"));
            assertThat(pods).as(service.toString()).hasSize(1);
            assertThat(pods.get(0).pod().texts("spec.containers.ports.name"))
                    .as(service.toString())
                    .containsAll(service.texts("spec.ports.targetPort"));
        }
        for (Manifest budget : ofKind(all, "PodDisruptionBudget")) {
            assertThat(selected(all, budget.fields("spec.selector.matchLabels")))
                    .as(budget.toString())
                    .hasSize(1);
        }
        for (Manifest ingress : ofKind(all, "Ingress")) {
            Manifest backend =
                    ingress.parts("spec.rules.http.paths.backend.service").get(0);
            assertThat(one(all, "Service", backend.text("name")).texts("spec.ports.name"))
                    .contains(backend.text("port.name"));
        }
    }

    /** Each pod is held by deny-all and by a policy of its own, and what one side may send the other may receive. */
    @ParameterizedTest
    @ValueSource(strings = {"cpu", "gpu", "demo"})
    void policiesAgree(String overlay) {
        List<Manifest> all = Kustomize.overlay(overlay);
        Manifest nothing = one(all, "NetworkPolicy", "deny-all");
        assertThat(nothing.fields("spec.podSelector")).isEmpty();
        assertThat(nothing.texts("spec.policyTypes")).containsExactlyInAnyOrder("Ingress", "Egress");
        assertThat(nothing.has("spec.ingress") || nothing.has("spec.egress")).isFalse();

        for (Manifest from : workloads(all)) {
            Manifest policy = one(all, "NetworkPolicy", from.name());
            assertThat(selected(all, policy.fields("spec.podSelector.matchLabels")))
                    .containsExactly(from);
            for (Manifest rule : policy.parts("spec.egress")) {
                for (Map<String, String> labels : rule.parts("to.podSelector").stream()
                        .map(each -> each.fields("matchLabels"))
                        .toList()) {
                    Manifest to = selected(all, labels).get(0);
                    assertThat(admitted(all, to, from)).as("%s to %s", from, to).containsAll(rule.texts("ports.port"));
                }
            }
        }
    }

    /** The numbers of the ports at which one workload admits another. */
    private static List<String> admitted(List<Manifest> all, Manifest to, Manifest from) {
        Map<String, String> numbers = to.pod().parts("spec.containers.ports").stream()
                .collect(Collectors.toMap(port -> port.text("name"), port -> port.text("containerPort")));
        return one(all, "NetworkPolicy", to.name()).parts("spec.ingress").stream()
                .filter(rule -> rule.parts("from").stream()
                        .filter(peer -> !peer.has("namespaceSelector"))
                        .anyMatch(peer -> selected(all, peer.fields("podSelector.matchLabels"))
                                .contains(from)))
                .flatMap(rule -> rule.texts("ports.port").stream())
                .map(port -> numbers.getOrDefault(port, port))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "gpu", "demo"})
    void containersMayDoNothingBeyondTheirTask(String overlay) {
        List<Manifest> all = Kustomize.overlay(overlay);
        for (Manifest workload : workloads(all)) {
            Manifest pod = workload.pod();
            assertThat(pod.text("spec.securityContext.runAsNonRoot")).isEqualTo("true");
            assertThat(pod.text("spec.securityContext.seccompProfile.type")).isEqualTo("RuntimeDefault");
            assertThat(pod.text("spec.automountServiceAccountToken")).isEqualTo("false");
            for (Manifest container : containers(workload)) {
                String where = workload + ", " + container.text("name");
                assertThat(container.text("securityContext.readOnlyRootFilesystem"))
                        .as(where)
                        .isEqualTo("true");
                assertThat(container.text("securityContext.allowPrivilegeEscalation"))
                        .as(where)
                        .isEqualTo("false");
                assertThat(container.texts("securityContext.capabilities.drop"))
                        .as(where)
                        .containsExactly("ALL");
                for (String amount : List.of("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")) {
                    assertThat(container.has("resources." + amount))
                            .as(where + ": " + amount)
                            .isTrue();
                }
            }
        }
    }

    private static DroverConfig drover(List<Manifest> all, Path directory) throws Exception {
        Path keys = Files.writeString(directory.resolve("keys"), "# none\n");
        Path cacheKey = Files.writeString(directory.resolve("cache.key"), "A".repeat(43) + "=\n");
        String text = Objects.requireNonNull(
                one(all, "ConfigMap", "drover").fields("data").get("drover.conf"));
        Path file = Files.writeString(
                directory.resolve("drover.conf"),
                text.replace("/etc/drover/secrets/keys", keys.toString())
                        .replace("/etc/drover/secrets/cache.key", cacheKey.toString()));
        Map<String, String> environment = Map.of(
                "DROVER_ADMIN_TOKEN_HASH", "sha256:" + "0".repeat(64),
                "DROVER_ADMIN_SCRAPE_TOKEN_HASH", "sha256:" + "1".repeat(64),
                "DROVER_REDIS_URI", "redis://:password@redis:6379");
        LoadedConfig loaded = ConfigLoader.load(new ConfigSource(Optional.of(file), environment, List.of(), Map.of()));
        assertThat(loaded.warnings()).isEmpty();
        return loaded.config();
    }

    private static Manifest container(List<Manifest> all, String kind, String name) {
        return one(all, kind, name).pod().parts("spec.containers").get(0);
    }

    private static String variable(Manifest container, String name) {
        return container.parts("env").stream()
                .filter(each -> each.text("name").equals(name))
                .map(each -> each.text("value"))
                .findFirst()
                .orElseThrow();
    }

    /** What Drover is told agrees with the objects around it. */
    @ParameterizedTest
    @ValueSource(strings = {"cpu", "gpu", "demo"})
    void settingsAgree(String overlay, @TempDir Path directory) throws Exception {
        List<Manifest> all = Kustomize.overlay(overlay);
        DroverConfig config = drover(all, directory);
        Manifest drover = one(all, "Deployment", "drover");
        Manifest ollama = one(all, "StatefulSet", "ollama");

        assertThat(container(all, "Deployment", "drover").texts("ports.containerPort"))
                .containsExactly(
                        Integer.toString(config.listen().get(0).getPort()),
                        Integer.toString(config.admin().listen().getPort()));
        assertThat(config.discovery().dns()).hasValueSatisfying(dns -> {
            Manifest service = one(all, "Service", dns.name());
            assertThat(service.text("spec.clusterIP")).isEqualTo("None");
            assertThat(selected(all, service.fields("spec.selector"))).containsExactly(ollama);
            assertThat(ollama.pod().texts("spec.containers.ports.containerPort"))
                    .containsExactly(Integer.toString(dns.port()));
        });
        assertThat(variable(container(all, "Deployment", "drover"), "DROVER_REDIS_URI"))
                .endsWith("@" + one(all, "Service", "redis").name() + ":"
                        + one(all, "Service", "redis").text("spec.ports.port"));

        Duration drain = config.drainDelay().plus(config.drainTimeout());
        assertThat(Duration.ofSeconds(Long.parseLong(drover.text("spec.template.spec.terminationGracePeriodSeconds"))))
                .isGreaterThan(drain);
        Manifest server = container(all, "StatefulSet", "ollama");
        assertThat(Integer.parseInt(ollama.text("spec.template.spec.terminationGracePeriodSeconds")))
                .isGreaterThan(Integer.parseInt(variable(server, "DRAIN_SECONDS")) + 10);
        // A rollout takes the next server away when this one is ready: not before Drover has found it, and a cluster's
        // DNS
        // keeps an answer for up to 30 s.
        assertThat(Integer.parseInt(server.text("readinessProbe.initialDelaySeconds")))
                .isGreaterThan(30 + (int) config.discovery().interval().toSeconds());
        String[] admin = variable(server, "DROVER_ADMIN").split(":");
        Manifest replicas = one(all, "Service", admin[0]);
        assertThat(replicas.text("spec.clusterIP")).isEqualTo("None");
        assertThat(replicas.text("spec.ports.port")).isEqualTo(admin[1]);
        // Of one that ends, too: it has streams, and so has a server that ends.
        assertThat(replicas.text("spec.publishNotReadyAddresses")).isEqualTo("true");
        assertThat(one(all, "Service", "ollama").text("spec.publishNotReadyAddresses"))
                .isEqualTo("true");
        assertThat(drover.text("spec.strategy.rollingUpdate.maxUnavailable")).isEqualTo("0");
    }

    @Test
    void theAutoscalersMetricIsDroversAndTheAdapterTellsIt() throws Exception {
        List<Manifest> all = Kustomize.overlay("gpu");
        Manifest rule = Manifest.parse(Files.readString(Kustomize.SOURCE.resolve("monitoring/adapter-values.yaml")))
                .get(0)
                .parts("rules.custom")
                .get(0);
        String metric = rule.text("seriesQuery").replaceFirst("\\{.*", "");
        assertThat(Files.readString(Path.of("docs", "metrics.md"))).contains("| `" + metric + "` | gauge |");

        List<Manifest> autoscalers = ofKind(all, "HorizontalPodAutoscaler");
        assertThat(autoscalers).hasSize(2);
        for (Manifest each : autoscalers) {
            Manifest target = one(all, each.text("spec.scaleTargetRef.kind"), each.text("spec.scaleTargetRef.name"));
            assertThat(target.has("spec.replicas")).isFalse();
            assertThat(Stream.of("spec.metrics.pods.metric.name", "spec.metrics.object.metric.name")
                            .flatMap(path -> each.texts(path).stream()))
                    .containsExactly(metric);
        }
        Manifest ollama = one(all, "HorizontalPodAutoscaler", "ollama");
        Manifest service = one(all, "Service", ollama.text("spec.metrics.object.describedObject.name"));
        String settings = one(all, "StatefulSet", "ollama").pod().text("spec.containers.envFrom.configMapRef.name");
        assertThat(ollama.text("spec.metrics.object.target.averageValue"))
                .isEqualTo(one(all, "ConfigMap", settings).fields("data").get("OLLAMA_NUM_PARALLEL"));

        // The metric has the name of the one service that is scraped.
        Manifest monitor = one(all, "ServiceMonitor", "drover");
        Map<String, String> wanted = monitor.fields("spec.selector.matchLabels");
        assertThat(ofKind(all, "Service"))
                .filteredOn(each -> each.fields("metadata.labels").entrySet().containsAll(wanted.entrySet()))
                .containsExactly(service);
        assertThat(service.texts("spec.ports.name")).contains(monitor.text("spec.endpoints.port"));
        assertThat(service.fields("metadata.labels")).containsEntry(monitor.text("spec.jobLabel"), "drover");
        Manifest credentials =
                monitor.parts("spec.endpoints.authorization.credentials").get(0);
        assertThat(one(all, "Secret", credentials.text("name")).fields("data")).containsKey(credentials.text("key"));
    }

    @Test
    void gpusAreAskedForInTheOverlayOfThatNameOnly() {
        for (String overlay : List.of("cpu", "gpu", "demo")) {
            JsonElement limits = container(Kustomize.overlay(overlay), "StatefulSet", "ollama")
                    .all("resources.limits")
                    .get(0);
            assertThat(limits.getAsJsonObject().has("nvidia.com/gpu")).isEqualTo(overlay.equals("gpu"));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
