package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.admission.FieldsException;
import io.drover.admission.KeyLine;
import io.drover.admission.Principal;
import io.drover.config.SecretHash;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class KeyCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void theSecretComesFirstAndThenTheLineThatKnowsIt() throws Exception {
        assertThat(run("key", "--name", "alice")).isZero();

        List<String> lines = out.toString().lines().toList();
        assertThat(lines).hasSize(2);
        String secret = lines.get(0);
        assertThat(secret).matches("drover_[A-Za-z0-9_-]{43}");
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.US_ASCII));
        assertThat(lines.get(1)).isEqualTo("{\"name\":\"alice\",\"hash\":\"" + SecretHash.of(digest) + "\"}");
        assertThat(principal(lines.get(1))).isEqualTo(Principal.named("alice"));
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void twoSecretsDiffer() {
        run("key", "--name", "alice");
        run("key", "--name", "alice");

        assertThat(out.toString().lines()).hasSize(4).doesNotHaveDuplicates();
    }

    @Test
    void everyFlagReachesTheLine() throws Exception {
        String flags = "key --name alice --owner research --model llama3* --model qwen3 --path /api/* --requests 10/s"
                + " --requests-burst 20 --tokens 100000/h --tokens-burst 21 --tokens-per-day 22 --tokens-per-month 23"
                + " --gpu-time-per-day 2h --gpu-time-per-month 40h --in-flight 24 --priority interactive"
                + " --expires 2027-01-01";

        assertThat(run(flags.split(" "))).isZero();

        Principal alice = principal(out.toString().lines().toList().get(1));
        assertThat(alice.owner()).isEqualTo("research");
        assertThat(alice.models()).hasToString("llama3*, qwen3");
        assertThat(alice.paths()).hasToString("/api/*");
        assertThat(alice.allowance().requests().orElseThrow()).hasToString("10/s");
        assertThat(alice.allowance().requestsBurst()).isEqualTo(20);
        assertThat(alice.allowance().tokens().orElseThrow()).hasToString("100000/h");
        assertThat(alice.allowance().tokensBurst()).isEqualTo(21);
        assertThat(alice.allowance().tokensPerDay()).isEqualTo(22);
        assertThat(alice.allowance().tokensPerMonth()).isEqualTo(23);
        assertThat(alice.allowance().gpuTimePerDay()).isEqualTo(Duration.ofHours(2));
        assertThat(alice.allowance().gpuTimePerMonth()).isEqualTo(Duration.ofHours(40));
        assertThat(alice.allowance().inFlight()).isEqualTo(24);
        assertThat(alice.priority()).isEqualTo("interactive");
        assertThat(alice.expires()).contains(Instant.parse("2027-01-01T00:00:00Z"));
        assertThat(alice.enabled()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        key --name a/b                         | --name: "a/b" (expected: a name of 1 to 255 letters, digits and . _ - : [ ])
        key --name a --model ""                | --model: "" (expected: a list of names such as "llama3*")
        key --name a --path api                | --path: "api" (expected: a list of paths such as "/api/chat" or "/v1/*")
        key --name a --requests 10             | --requests: "10" (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s)
        key --name a --requests-burst 5        | --requests-burst: 5 (expected: 0, or requests beside it)
        key --name a --gpu-time-per-day 2      | --gpu-time-per-day: "2" (expected: a duration such as 90m or 2h, up to 365d)
        key --name a --in-flight many          | Invalid value for option '--in-flight'
        key --name a --expires tomorrow        | --expires: "tomorrow" (expected: a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z)
        key                                    | Missing required option: '--name=<name>'
        """)
    void aWrongFlagIsSaidAndMakesNoKey(String line, String said) {
        assertThat(run(line.replace("\"\"", "").split(" ", -1))).isEqualTo(2);

        assertThat(err.toString()).startsWith(said);
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void helpSaysThatTheAdminPortTakesTheHash() {
        CommandLine key = Main.commandLine().getSubcommands().get("key");

        assertThat(Objects.requireNonNull(key).getUsageMessage())
                .contains("--gpu-time-per-month")
                .contains("admin.token-hash");
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "check", "key", "demo", "version"})
    void eachCommandHasHelp(String command) {
        assertThat(run(command, "--help")).isZero();

        assertThat(out.toString()).startsWith("Usage: drover " + command);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void checkReadsTheKeysFile(@TempDir Path dir) throws Exception {
        run("key", "--name", "alice");
        Path keys = Files.writeString(
                dir.resolve("keys"), out.toString().lines().toList().get(1));
        Path config = Files.writeString(
                dir.resolve("drover.conf"),
                "drover { backends = [\"http://a:1\"], auth { mode = api-key, keys-file = \"" + keys + "\" } }");

        assertThat(run("check", "-c", config.toString())).isZero();
        assertThat(out.toString())
                .contains("auth        API keys of " + keys)
                .contains(keys + " holds 1 API keys\nthe configuration is valid");

        Files.writeString(keys, "nonsense");
        assertThat(run("check", "-c", config.toString())).isOne();
        assertThat(err.toString()).startsWith(keys + ":1: no JSON at column 1 (expected: one object");
    }

    @Test
    void checkReadsTheCachesKey(@TempDir Path dir) throws Exception {
        Path key = Files.writeString(dir.resolve("cache.key"), "c2hvcnQ=");
        Path config = Files.writeString(
                dir.resolve("drover.conf"),
                "drover { backends = [\"http://a:1\"], redis.uri = \"redis://a\", cache { enabled = true, memory = 8MiB,"
                        + " encryption-key-file = \"" + key + "\" } }");

        assertThat(run("check", "-c", config.toString())).isOne();
        assertThat(err.toString()).startsWith("drover.cache.encryption-key-file: \"" + key + "\": 5 bytes (expected: ");

        Files.writeString(key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
        assertThat(run("check", "-c", config.toString())).isZero();
    }

    private int run(String... arguments) {
        return Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private static Principal principal(String line) throws FieldsException {
        return Objects.requireNonNull(KeyLine.parse(line).verdict().principal());
    }
}
