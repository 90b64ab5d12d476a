package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import io.drover.testing.RawClient.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code audit-log}: who is told of with what, and what is never told. */
class AuditLogTest {
    private static final String MODEL = "llama3.2";
    private static final String PROMPT = "the butler did it in the library";
    private static final String SECRET = "s3cr3t-of-a-client";
    private static final String CHAT = "{\"model\":\"" + MODEL + "\",\"stream\":true,\"messages\":[{\"role\":\"user\","
            + "\"content\":\"" + PROMPT + "\"}]}";

    private final Path dir;
    private final Path file;

    AuditLogTest(@TempDir Path dir) {
        this.dir = dir;
        this.file = dir.resolve("audit.log");
    }

    private Drover.Setup audited(URI backend) {
        return Drover.over(backend).set("audit-log.enabled", "true").set("audit-log.file", file.toString());
    }

    private static SimulatedOllama ollama() {
        return SimulatedOllama.start(SimulatedOllama.Settings.defaults());
    }

    /** The lines once there are so many; more fail. */
    private List<LogLine> lines(int count) {
        Drover.await(count + " lines", () -> read().lines().count() >= count);
        List<LogLine> lines = read().lines().map(LogLine::parse).toList();
        assertThat(lines).hasSize(count);
        return lines;
    }

    private String read() {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aChatIsToldWithWhoWhatWhenAndWhatItCost() {
        Instant before = Instant.now();
        try (SimulatedOllama ollama = ollama();
                Drover drover = audited(ollama.url()).start()) {
            Response response = drover.exchange("POST", "/api/chat?a=b", CHAT, "X-Request-Id: me");
            assertThat(response.status()).isEqualTo(200);
            LogLine line = lines(1).get(0);
            LogLine access = drover.logged();

            assertThat(line.fields())
                    .containsEntry("request_id", "me")
                    .containsEntry("client", "127.0.0.1")
                    .containsEntry("endpoint", "/api/chat")
                    .containsEntry("method", "POST")
                    .containsEntry("path", "/api/chat")
                    .containsEntry("model", MODEL)
                    .containsEntry("status", "200")
                    .containsEntry("outcome", "complete")
                    .containsEntry("backend", "a")
                    .containsEntry("request_bytes", Integer.toString(CHAT.length()))
                    .containsEntry("response_bytes", access.get("response_bytes"))
                    .containsEntry("prompt_tokens", access.get("prompt_tokens"))
                    .containsEntry("generated_tokens", access.get("generated_tokens"))
                    .doesNotContainKeys("key", "phase", "prompt", "prompt_cut", "event");
            assertThat(Integer.parseInt(line.get("generated_tokens"))).isPositive();
            assertThat(Instant.parse(line.get("time"))).isBetween(before.minusMillis(1), Instant.now());
            assertThat(Double.parseDouble(line.get("gpu_seconds"))).isEqualTo(gpuSeconds(response.body()));
            assertThat(Double.parseDouble(line.get("duration_seconds"))).isPositive();
        }
    }

    /** The sum of the final record's durations, to microseconds. */
    private static double gpuSeconds(String answer) {
        List<String> lines =
                answer.lines().filter(line -> line.contains("\"done\":true")).toList();
        LogLine last = LogLine.parse(lines.get(lines.size() - 1).replaceAll("\"message\":\\{[^}]*},", ""));
        long nanos = Stream.of("load_duration", "prompt_eval_duration", "eval_duration")
                .mapToLong(field -> last.get(field).isEmpty() ? 0 : Long.parseLong(last.get(field)))
                .sum();
        return Math.floorDiv(nanos, 1_000) / 1e6;
    }

    @Test
    void withoutPromptsNoTextAndNoSecretOfAClientIsInIt() throws Exception {
        try (SimulatedOllama ollama = ollama();
                Drover drover = audited(ollama.url()).start()) {
            String generate = "{\"model\":\"" + MODEL + "\",\"prompt\":\"" + PROMPT + "\"}";
            for (String path : List.of("/api/chat", "/api/generate", "/v1/chat/completions", "/v1/completions")) {
                String body = path.endsWith("te") || path.equals("/v1/completions") ? generate : CHAT;
                Response response = drover.exchange(
                        "POST",
                        path + "?api_key=" + SECRET,
                        body,
                        "Authorization: Bearer " + SECRET,
                        "X-Api-Key: " + SECRET,
                        "Cookie: session=" + SECRET);
                assertThat(response.status()).as(path).isEqualTo(200);
            }
            drover.exchange("POST", "/api/create", "{\"model\":\"mine\",\"from\":\"m\",\"system\":\"" + PROMPT + "\"}");
            assertThat(lines(5).get(4).get("model")).isEqualTo("mine");
        }
        try (Stream<Path> all = Files.walk(dir)) {
            for (Path each : all.filter(Files::isRegularFile).toList()) {
                assertThat(Files.readString(each, StandardCharsets.ISO_8859_1))
                        .doesNotContain(SECRET)
                        .doesNotContain(PROMPT)
                        .doesNotContain("butler");
            }
        }
    }

    @Test
    void withPromptsTheBodyIsToldUpToItsBound() {
        String large = CHAT.replace(PROMPT, (PROMPT + " ").repeat(1_000));
        try (SimulatedOllama ollama = ollama();
                Drover drover = audited(ollama.url())
                        .set("audit-log.prompts", "true")
                        .set("audit-log.max-prompt", "4KiB")
                        .start()) {
            drover.exchange("POST", "/api/chat", CHAT);
            drover.exchange("POST", "/api/chat", large);
            List<LogLine> lines = lines(2);

            assertThat(lines.get(0).get("prompt")).isEqualTo(CHAT);
            assertThat(lines.get(0).fields()).doesNotContainKey("prompt_cut");
            assertThat(lines.get(1).get("prompt")).isEqualTo(large.substring(0, 4 << 10));
            assertThat(lines.get(1).get("prompt_cut")).isEqualTo("true");
        }
    }

    /** What is there is not all of it, as of a prompt that is too long. */
    @Test
    void aPromptWhoseClientLeftWithinItSaysSo() {
        String half = CHAT.substring(0, CHAT.length() / 2);
        try (SimulatedOllama ollama = ollama();
                Drover drover =
                        audited(ollama.url()).set("audit-log.prompts", "true").start()) {
            try (RawClient client = drover.connect()) {
                client.send(
                        "POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: " + CHAT.length() + "\r\n\r\n" + half);
            }

            assertThat(lines(1).get(0).fields())
                    .containsEntry("status", "499")
                    .containsEntry("outcome", "client")
                    .containsEntry("phase", "read_body")
                    .containsEntry("prompt", half)
                    .containsEntry("prompt_cut", "true");
        }
    }

    /** Of each endpoint that generates or embeds the body as it came, and of no other. */
    @Test
    void whichPromptsAreTold() {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                Drover drover =
                        audited(backend.url()).set("audit-log.prompts", "true").start()) {
            List<String> told = List.of(
                    "/api/generate",
                    "/api/chat",
                    "/api/embed",
                    "/api/embeddings",
                    "/v1/chat/completions",
                    "/v1/completions",
                    "/v1/embeddings",
                    "/v1/responses",
                    "/v1/messages");
            for (String path : told) {
                drover.exchange("POST", path, CHAT);
            }
            for (String path : List.of("/v1/audio/transcriptions", "/api/create", "/v1/rerank", "/next/years/ollama")) {
                drover.exchange("POST", path, CHAT);
            }

            List<LogLine> lines = lines(13);
            assertThat(lines.subList(0, 9))
                    .allSatisfy(line -> assertThat(line.get("prompt")).isEqualTo(CHAT));
            assertThat(lines.subList(0, 9)).extracting(line -> line.get("path")).isEqualTo(told);
            assertThat(lines.subList(9, 13))
                    .allSatisfy(line -> assertThat(line.fields()).doesNotContainKeys("prompt", "prompt_cut"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatChangesSomethingIsToldWithItsModelAndListingsAreNot() throws Exception {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                Drover drover = audited(backend.url()).start()) {
            drover.exchange("POST", "/api/pull", "{\"model\":\"pulled\"}");
            drover.exchange("POST", "/api/push", "{\"name\":\"pushed\"}");
            drover.exchange("POST", "/api/copy", "{\"source\":\"one\",\"destination\":\"other\"}");
            drover.exchange("DELETE", "/api/delete", "{\"model\":\"deleted\"}");
            drover.exchange("POST", "/api/blobs/sha256:00", "{\"model\":\"no\"}");
            drover.exchange("PUT", "/next/years/ollama", "{\"model\":\"no\"}");
            for (String path : List.of("/api/tags", "/api/ps", "/v1/models", "/health", "/ready", "/next")) {
                drover.exchange("GET", path, "");
            }
            drover.exchange("POST", "/api/show", "{\"model\":\"shown\"}");
            drover.exchange("DELETE", "/last", "");

            assertThat(lines(7).stream().map(line -> line.get("path") + " " + line.get("model")))
                    .containsExactly(
                            "/api/pull pulled",
                            "/api/push pushed",
                            "/api/copy one",
                            "/api/delete deleted",
                            "/api/blobs/sha256:00 ",
                            "/next/years/ollama ",
                            "/last ");
            assertThat(lines(7).get(2).get("destination")).isEqualTo("other");
        }
    }

    @Test
    void whoIsRefusedIsTold() throws Exception {
        try (RawBackend backend = RawBackend.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                Drover drover = audited(backend.url())
                        .set("limits.requests.rate", "1/h")
                        .set("limits.requests.burst", "1")
                        .start()) {
            drover.exchange("GET", "/api/tags", "");
            assertThat(drover.exchange("GET", "/api/tags", "").status()).isEqualTo(429);

            assertThat(lines(1).get(0).fields())
                    .containsEntry("status", "429")
                    .containsEntry("outcome", "client")
                    .containsEntry("phase", "admit")
                    .containsEntry("path", "/api/tags")
                    .doesNotContainKey("backend");
        }
    }

    @Test
    void aBackendsFailureIsToldAsItsOwn() throws Exception {
        try (Drover drover =
                audited(Ports.refusing()).set("retry.attempts", "0").start()) {
            int status = drover.exchange("POST", "/api/chat", CHAT).status();

            assertThat(lines(1).get(0).fields())
                    .containsEntry("status", Integer.toString(status))
                    .containsEntry("outcome", "upstream")
                    .containsEntry("phase", "connect")
                    .containsEntry("backend", "a")
                    .doesNotContainKeys("generated_tokens", "gpu_seconds");
        }
    }

    @Test
    void whatOperatorsDoOrTryIsTold() {
        try (SimulatedOllama ollama = ollama();
                Drover drover = audited(ollama.url()).start()) {
            drover.post("/api/backends/a/drain");
            drover.post("/api/backends/a/undrain");
            drover.post("/api/backends/nobody/drain");
            drover.post("/api/reload");
            drover.rewrite("drover.balance = nonsense");
            drover.post("/api/reload");
            drover.post("/api/cache/purge");
            drover.post("/api/nothing");

            assertThat(lines(6).stream()
                            .map(line -> line.get("event") + " " + line.get("backend") + " " + line.get("status")))
                    .containsExactly(
                            "drain a 200",
                            "undrain a 200",
                            "drain nobody 404",
                            "reload  200",
                            "reload  422",
                            "purge  404");
            assertThat(lines(6))
                    .allSatisfy(line -> assertThat(line.get("client")).isEqualTo("127.0.0.1"));
        }
    }

    @Test
    void aReloadOpensTheFilesOfBothLogsAnew() throws Exception {
        Path access = dir.resolve("access.log");
        try (SimulatedOllama ollama = ollama();
                Drover drover = audited(ollama.url()).start()) {
            Path log = drover.accessLog();
            drover.exchange("POST", "/api/chat", CHAT, "X-Request-Id: old");
            lines(1);
            drover.logged();
            Files.move(file, dir.resolve("audit.log.1"));
            Files.move(log, access);
            assertThat(drover.post("/api/reload").status()).isEqualTo(200);
            Drover.await("both files", () -> Files.exists(file) && Files.exists(log));
            drover.exchange("POST", "/api/chat", CHAT, "X-Request-Id: new");

            assertThat(drover.logged().get("request_id")).isEqualTo("new");
            assertThat(Files.readString(access)).contains("\"old\"").doesNotContain("\"new\"");
            assertThat(Files.readString(dir.resolve("audit.log.1"))).contains("\"old\"");
            Drover.await("the new line", () -> read().contains("\"new\""));
        }
    }

    @Test
    void aFullDiskStopsNoRequest() {
        try (SimulatedOllama ollama = ollama();
                Drover drover = Drover.over(ollama.url())
                        .set("audit-log.enabled", "true")
                        .set("audit-log.file", "/dev/full")
                        .set("audit-log.queue", "2")
                        .start()) {
            for (int i = 0; i < 10; i++) {
                assertThat(drover.exchange("POST", "/api/chat", CHAT).status()).isEqualTo(200);
            }

            Drover.await("lost lines counted", () -> drover.metrics().contains("drover_audit_log_dropped_total{"));
        }
    }
}
