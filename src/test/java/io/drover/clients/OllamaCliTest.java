package io.drover.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.testing.Command;
import io.drover.testing.LogLine;
import io.drover.testing.RawClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The {@code ollama} command gets in with the key in the path of {@code OLLAMA_HOST}, and prints how to without it: its
 * requests as it sends them, and the command itself where it is installed.
 */
class OllamaCliTest {
    private static final String HOW = "OLLAMA_HOST=http://HOST:PORT/key/KEY";
    private static final String SHOW =
            "{\"model\":\"llama3.2\",\"system\":\"\",\"template\":\"\",\"verbose\":false,\"options\":null,\"name\":\"\"}";
    private static final String SHOW_BY_NAME =
            "{\"model\":\"\",\"system\":\"\",\"template\":\"\",\"verbose\":false,\"options\":null,\"name\":\"llama3.2\"}";
    private static final String LOAD = "{\"model\":\"llama3.2\",\"prompt\":\"\",\"suffix\":\"\",\"system\":\"\","
            + "\"template\":\"\",\"options\":null}";
    private static final String UNLOAD = "{\"model\":\"llama3.2\",\"prompt\":\"\",\"suffix\":\"\",\"system\":\"\","
            + "\"template\":\"\",\"keep_alive\":\"0s\",\"options\":null}";
    private static final String GENERATE = "{\"model\":\"llama3.2\",\"prompt\":\"hello\",\"suffix\":\"\","
            + "\"system\":\"\",\"template\":\"\",\"options\":{}}";
    private static final String CHAT =
            "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"options\":{}}";
    private static final String PULL = "{\"model\":\"\",\"username\":\"\",\"password\":\"\",\"name\":\"llama3.2\"}";
    private static final String COPY = "{\"source\":\"llama3.2\",\"destination\":\"mine\"}";
    private static final byte[] FILE = ("GGUF" + "0123456789abcdef".repeat(6000)).getBytes(StandardCharsets.US_ASCII);

    private static IssuedKey key;

    private GuardedDoor door;

    @BeforeAll
    static void makeKey(@TempDir Path keys) throws Exception {
        key = IssuedKey.make(keys);
    }

    @BeforeEach
    void start(@TempDir Path directory) throws Exception {
        door = new GuardedDoor(key, directory, "api-key");
    }

    /** Its checks are a part of each test: the secret stands in no log. */
    @AfterEach
    void stop() throws Exception {
        door.close();
    }

    /** A command that has found out that somebody listens. */
    private OllamaCli command(String path) {
        OllamaCli cli = new OllamaCli(door.address(), path);
        assertThat(cli.heartbeat().status()).isEqualTo(200);
        return cli;
    }

    private OllamaCli command() {
        return command(key.pathPrefix());
    }

    private static void assertStreamed(RawClient.Response response, int lines, String last) {
        assertThat(response.status()).as(response.body()).isEqualTo(200);
        assertThat(response.head().isChunked()).isTrue();
        assertThat(response.body().lines()).hasSize(lines).last().asString().contains(last);
    }

    private static String digest(byte[] file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(file));
    }

    @Test
    void listPsAndShow() {
        try (OllamaCli cli = command()) {
            assertThat(cli.ask("GET", "/api/tags", null).body()).contains("\"llama3.2:latest\"");
            assertThat(cli.ask("GET", "/api/ps", null).body()).isEqualTo("{\"models\":[]}");
            assertThat(cli.ask("POST", "/api/show", SHOW_BY_NAME).body()).contains("\"family\":\"llama\"");
            assertThat(cli.ask("GET", "/api/version", null).body()).contains("\"version\":\"");
        }
    }

    @Test
    void runAndStop() {
        try (OllamaCli cli = command()) {
            assertThat(cli.ask("POST", "/api/show", SHOW).body()).contains("\"family\":\"llama\"");
            assertThat(cli.stream("/api/generate", LOAD).body()).contains("\"done_reason\":\"load\"");
            assertStreamed(cli.stream("/api/chat", CHAT), GuardedDoor.TOKENS + 1, "\"done\":true");
            assertStreamed(cli.stream("/api/generate", GENERATE), GuardedDoor.TOKENS + 1, "\"done\":true");
            assertThat(cli.ask("GET", "/api/ps", null).body()).contains("\"llama3.2:latest\"");
            assertThat(cli.stream("/api/generate", UNLOAD).body()).contains("\"done_reason\":\"unload\"");
        }
    }

    @Test
    void pull() {
        try (OllamaCli cli = command()) {
            RawClient.Response pulled = cli.stream("/api/pull", PULL);

            assertThat(pulled.status()).isEqualTo(200);
            assertThat(pulled.body().lines()).last().isEqualTo("{\"status\":\"success\"}");
        }
    }

    @Test
    void createWithAFile() throws Exception {
        String digest = digest(FILE);
        try (OllamaCli cli = command()) {
            assertThat(cli.upload(digest, FILE).status()).isEqualTo(201);
            RawClient.Response created = cli.stream(
                    "/api/create",
                    "{\"model\":\"mine\",\"files\":{\"m.gguf\":\"sha256:" + digest + "\"},\"name\":\"\"}");

            assertThat(created.status()).isEqualTo(200);
            assertThat(created.body().lines()).last().isEqualTo("{\"status\":\"success\"}");
            assertThat(cli.ask("GET", "/api/tags", null).body()).contains("\"mine:latest\"");
        }
    }

    @Test
    void copyAndRemove() {
        try (OllamaCli cli = command()) {
            assertThat(cli.ask("POST", "/api/copy", COPY).status()).isEqualTo(200);
            assertThat(cli.ask("POST", "/api/show", SHOW.replace("llama3.2", "mine"))
                            .status())
                    .isEqualTo(200);
            assertThat(cli.stream("/api/generate", UNLOAD.replace("llama3.2", "mine"))
                            .status())
                    .isEqualTo(200);
            assertThat(cli.ask("DELETE", "/api/delete", "{\"model\":\"\",\"name\":\"mine\"}")
                            .status())
                    .isEqualTo(200);
            assertThat(cli.ask("GET", "/api/tags", null).body()).doesNotContain("mine");
        }
    }

    /** The requests that commands send next, and what they print of a 401. */
    enum Next {
        LIST("GET", "/api/tags", null, Prints.STATUS),
        PS("GET", "/api/ps", null, Prints.STATUS),
        SHOW("POST", "/api/show", SHOW_BY_NAME, Prints.STATUS),
        STOP("POST", "/api/show", OllamaCliTest.SHOW, Prints.STATUS),
        RUN("POST", "/api/show", OllamaCliTest.SHOW, Prints.SIGN_IN),
        PUSH("POST", "/api/me", "", Prints.SIGN_IN),
        PULL("POST", "/api/pull", OllamaCliTest.PULL, Prints.LINE),
        LOAD("POST", "/api/generate", OllamaCliTest.LOAD, Prints.LINE),
        CHAT("POST", "/api/chat", OllamaCliTest.CHAT, Prints.LINE),
        CREATE("POST", "/api/create", "{\"model\":\"mine\",\"from\":\"llama3.2\"}", Prints.LINE),
        COPY("POST", "/api/copy", OllamaCliTest.COPY, Prints.STATUS),
        DELETE("DELETE", "/api/delete", "{\"model\":\"\",\"name\":\"llama3.2\"}", Prints.STATUS),
        UPLOAD("POST", "/api/blobs", null, Prints.STATUS);

        private final String method;
        private final String path;
        private final @Nullable String json;
        private final Prints prints;

        Next(String method, String path, @Nullable String json, Prints prints) {
            this.method = method;
            this.path = path;
            this.json = json;
            this.prints = prints;
        }

        RawClient.Response of(OllamaCli cli) {
            if (this == UPLOAD) {
                return cli.upload("0".repeat(64), FILE);
            }
            return prints == Prints.LINE && json != null ? cli.stream(path, json) : cli.ask(method, path, json);
        }
    }

    private enum Prints {
        STATUS,
        SIGN_IN,
        /** The first line, provided it is no JSON. */
        LINE;

        String of(String body) {
            return switch (this) {
                case STATUS -> LogLine.parse(body).get("status");
                case SIGN_IN -> LogLine.parse(body).get("signin_url");
                case LINE -> {
                    String first = body.lines().findFirst().orElse("");
                    assertThatThrownBy(() -> LogLine.parse(first)).hasMessageContaining(first);
                    yield first;
                }
            };
        }
    }

    @ParameterizedTest
    @EnumSource
    void withoutAKeyEachCommandPrintsHowToGetIn(Next next) {
        try (OllamaCli cli = command("")) {
            RawClient.Response refused = next.of(cli);

            assertThat(refused.status()).isEqualTo(401);
            assertThat(refused.header("WWW-Authenticate")).isEqualTo("Bearer realm=\"drover\"");
            assertThat(LogLine.parse(refused.body()).get("error")).contains("no key with the request", HOW);
            assertThat(next.prints.of(refused.body())).contains("no key with the request", HOW);
            assertThat(door.hasServed()).isFalse();
        }
    }

    @Test
    void withAWrongKeyToo() {
        try (OllamaCli cli = command("/key/drover_wrong")) {
            RawClient.Response refused = Next.LIST.of(cli);

            assertThat(refused.status()).isEqualTo(401);
            assertThat(Prints.STATUS.of(refused.body())).contains("unknown key", HOW);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"list", "ps", "show llama3.2", "run llama3.2 hello", "stop llama3.2", "pull llama3.2"})
    void theCommandItself(String words, @TempDir Path home) {
        Command.Output output = ollama(home, door.urlWithKey(), words);
        assertThat(output.status()).as(output.text()).isZero();
        assertThat(output.text()).doesNotContain("rror");
        assertThat(door.hasServed()).isTrue();

        assertThat(ollama(home, door.url(), words).text())
                .contains("no key with the request")
                .contains(HOW);
    }

    @Test
    void theCommandItselfCreates(@TempDir Path home) throws Exception {
        Files.write(home.resolve("m.gguf"), FILE);
        Files.writeString(home.resolve("Modelfile"), "FROM ./m.gguf\n");

        Command.Output output = ollama(home, door.urlWithKey(), "create mine");

        assertThat(output.status()).as(output.text()).isZero();
        assertThat(output.text()).contains("success");
        assertThat(ollama(home, door.url(), "create mine").text()).contains(HOW);
    }

    private static Command.Output ollama(Path home, String host, String words) {
        List<String> command = List.of(("ollama " + words).split(" "));
        return new Command(home, command)
                .with(Map.of("HOME", home.toString(), "OLLAMA_HOST", host))
                .runIfInstalled(20);
    }
}
