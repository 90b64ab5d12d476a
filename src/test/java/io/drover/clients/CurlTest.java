package io.drover.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Command;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The real curl gets in with a key in each of the ways that the documentation tells, and is told how without one. */
class CurlTest {
    private static final int SECONDS = 20;
    private static final String CHAT =
            "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";

    private static IssuedKey key;

    private Path directory;

    @BeforeAll
    static void makeKey(@TempDir Path keys) throws Exception {
        key = IssuedKey.make(keys);
    }

    @BeforeEach
    void use(@TempDir Path fresh) {
        directory = fresh;
    }

    /** @param head as it came, its lines ended by CR LF */
    private record Answer(String head, String body) {
        int status() {
            return Integer.parseInt(head.split(" ", 3)[1]);
        }
    }

    private static Command curl(Path directory, String... more) {
        // -q: whoever runs this may have a ~/.curlrc.
        List<String> words = new ArrayList<>(List.of("curl", "-q", "-sS", "-i", "-N"));
        words.addAll(List.of(more));
        return new Command(directory, words);
    }

    private Answer ask(String... words) {
        Command.Output output = curl(directory, words).runIfInstalled(SECONDS);
        assertThat(output.status()).as(output.text()).isZero();
        String[] parts = output.text().split("\r\n\r\n", 2);
        return new Answer(parts[0], parts.length < 2 ? "" : parts[1]);
    }

    /** {@code words} with the door's address for HERE and the secret for SECRET, one argument between two bars. */
    private static String[] told(String words, GuardedDoor door) {
        return Arrays.stream(words.split("\\|"))
                .map(word -> word.replace("HERE", door.url()).replace("SECRET", key.secret()))
                .toArray(String[]::new);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-H|Authorization: Bearer SECRET|HERE",
                "--oauth2-bearer|SECRET|HERE",
                "-H|x-api-key: SECRET|HERE",
                "-u|anna:password|HERE",
                "HERE/key/SECRET"
            })
    void everyWayIn(String way) throws Exception {
        try (GuardedDoor door = new GuardedDoor(key, directory, "api-key, basic")) {
            String[] tags = told(way + "/api/tags", door);
            Answer listed = ask(tags);
            assertThat(listed.status()).as(listed.head() + listed.body()).isEqualTo(200);
            assertThat(listed.body()).startsWith("{\"models\":[{\"name\":\"llama3.2:latest\"");

            // As curl sends it: as a form.
            Answer chat = ask(told(way + "/api/chat|-d|" + CHAT, door));
            assertThat(chat.status()).as(chat.head() + chat.body()).isEqualTo(200);
            assertThat(chat.body().lines())
                    .hasSize(GuardedDoor.TOKENS + 1)
                    .last()
                    .asString()
                    .contains("\"done\":true");
        }
    }

    @Test
    void aStreamComesLineByLine() throws Exception {
        SimulatedOllama.Settings endless =
                SimulatedOllama.Settings.defaults().withTokens(1_000_000).withTokensPerSecond(50);
        try (GuardedDoor door = new GuardedDoor(key, directory, "api-key", endless)) {
            Process curl = curl(directory, told("-H|Authorization: Bearer SECRET|HERE/api/chat|-d|" + CHAT, door))
                    .startIfInstalled();
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(curl.getInputStream(), StandardCharsets.UTF_8))) {
                assertThat(lines.readLine()).isEqualTo("HTTP/1.1 200 OK");
                assertThat(lines.lines()
                                .filter(line -> line.contains("\"done\":false"))
                                .limit(5))
                        .hasSize(5);
                assertThat(door.backend().active()).as("answers under way").isOne();
            } finally {
                curl.destroy();
            }
            door.backend().await("its slot is free", () -> door.backend().active() == 0);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            /api/chat            | {"error":"
            /api/tags            | {"error":"
            /v1/chat/completions | {"error":{"message":"
            /v1/messages         | {"type":"error","error":{"type":"authentication_error","message":"
            """)
    void withoutAKeyItSaysHowToGetIn(String path, String shape) throws Exception {
        try (GuardedDoor door = new GuardedDoor(key, directory, "api-key, basic")) {
            Answer refused = ask(door.url() + path, "-d", CHAT);

            assertThat(refused.status()).isEqualTo(401);
            assertThat(refused.head().lines())
                    .contains(
                            "WWW-Authenticate: Bearer realm=\"drover\"",
                            "WWW-Authenticate: Basic realm=\"drover\", charset=\"UTF-8\"");
            assertThat(refused.body())
                    .startsWith(shape + "no key with the request: send")
                    .contains("Authorization: Bearer KEY")
                    .contains("x-api-key: KEY")
                    .contains("OLLAMA_HOST=http://HOST:PORT/key/KEY")
                    .contains("name and password as HTTP Basic");
            assertThat(door.hasServed()).isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "-H|x-api-key: drover_wrong|HERE/api/tags, unknown key",
        "HERE/key/drover_wrong/api/tags, unknown key",
        "-u|anna:wrong|HERE/api/tags, wrong user or password"
    })
    void withAWrongKeyToo(String words, String said) throws Exception {
        try (GuardedDoor door = new GuardedDoor(key, directory, "api-key, basic")) {
            Answer refused = ask(told(words, door));

            assertThat(refused.status()).isEqualTo(401);
            assertThat(refused.body()).contains(said).contains("Authorization: Bearer KEY");
            assertThat(door.hasServed()).isFalse();
        }
    }
}
