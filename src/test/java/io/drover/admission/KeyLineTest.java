package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.drover.config.Rate;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class KeyLineTest {
    private static final String SECRET = "drover_sesame";

    private static final Map<String, Object> EVERYTHING = everything();

    private static final Principal ALICE = new Principal(
            "alice",
            "research",
            Patterns.of(List.of("llama3*", "qwen3:4b")),
            Patterns.of(List.of("/api/chat", "/v1/*")),
            new Allowance(
                    Optional.of(new Rate(10, TimeUnit.SECONDS)),
                    20,
                    Optional.of(new Rate(100_000, TimeUnit.HOURS)),
                    21,
                    22,
                    23,
                    Duration.ofHours(2),
                    Duration.ofHours(40),
                    24),
            "interactive",
            Optional.of(Instant.parse("2027-01-01T00:00:00Z")),
            false);

    private static Map<String, Object> everything() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("owner", "research");
        fields.put("models", List.of("llama3*", "qwen3:4b"));
        fields.put("paths", List.of("/api/chat", "/v1/*"));
        fields.put("requests", "10/s");
        fields.put("requests_burst", 20);
        fields.put("tokens", "100000/h");
        fields.put("tokens_burst", 21L);
        fields.put("tokens_per_day", 22L);
        fields.put("tokens_per_month", 23L);
        fields.put("gpu_time_per_day", "2h");
        fields.put("gpu_time_per_month", "40h");
        fields.put("in_flight", 24);
        fields.put("priority", "interactive");
        fields.put("expires", "2027-01-01T00:00:00Z");
        fields.put("enabled", false);
        return fields;
    }

    @Test
    void aNameAndAHashAreEnough() throws FieldsException {
        KeyLine key = KeyLine.parse("  " + Keys.line("alice", SECRET) + "  ");

        assertThat(key.verdict()).isEqualTo(AuthVerdict.of(Principal.named("alice")));
        assertThat(key.hash()).isEqualTo(Keys.hash(SECRET));
    }

    @Test
    void everyFieldReachesThePrincipal() throws FieldsException {
        assertThat(EVERYTHING.keySet()).containsExactlyElementsOf(PrincipalFields.NAMES);
        assertThat(PrincipalFields.of("alice", EVERYTHING)).isEqualTo(ALICE);
    }

    @Test
    void whatIsWrittenIsRead() throws FieldsException {
        String line = KeyLine.write("alice", Keys.hash(SECRET), EVERYTHING);

        assertThat(line)
                .isEqualTo("{\"name\":\"alice\",\"hash\":\"" + Keys.hash(SECRET) + "\",\"owner\":\"research\","
                        + "\"models\":[\"llama3*\",\"qwen3:4b\"],\"paths\":[\"/api/chat\",\"/v1/*\"],\"requests\":\"10/s\","
                        + "\"requests_burst\":20,\"tokens\":\"100000/h\",\"tokens_burst\":21,\"tokens_per_day\":22,"
                        + "\"tokens_per_month\":23,\"gpu_time_per_day\":\"2h\",\"gpu_time_per_month\":\"40h\","
                        + "\"in_flight\":24,\"priority\":\"interactive\",\"expires\":\"2027-01-01T00:00:00Z\","
                        + "\"enabled\":false}");
        assertThat(KeyLine.parse(line)).isEqualTo(KeyLine.of(Keys.hash(SECRET), ALICE));
    }

    /** Terminals and redirections have character sets of their own. */
    @Test
    void whatIsWrittenIsAscii() throws FieldsException {
        String line = KeyLine.write("anna", Keys.hash("one"), Map.of("owner", "J\u00fcrgen \ud83d\ude00"));

        assertThat(line).isPrintable().matches("\\p{ASCII}+");
        Principal read = KeyLine.parse(line).verdict().principal();
        assertThat(read).isNotNull();
        assertThat(read.owner()).isEqualTo("J\u00fcrgen \ud83d\ude00");
    }

    @Test
    void whatCouldNotBeReadIsNotWritten() {
        assertThatThrownBy(() -> KeyLine.write("a b", Keys.hash(SECRET), Map.of("requests", "10/w")))
                .isInstanceOf(FieldsException.class)
                .hasMessageContaining("name: \"a b\" (expected: a name of")
                .hasMessageContaining("requests: \"10/w\" (expected: a rate");
    }

    @Test
    void aClaimIsReadFromAParserAndLeavesItAtItsEnd() throws Exception {
        String token = "{\"drover\":{\"models\":[\"llama3*\"],\"in_flight\":2},\"sub\":\"bob\"}";
        try (JsonParser json = new JsonFactory().createParser(token)) {
            json.nextToken();
            json.nextToken();
            json.nextToken();

            Principal bob = PrincipalFields.of("bob", json);

            assertThat(bob.models().allow("llama3.2")).isTrue();
            assertThat(bob.models().allow("qwen3")).isFalse();
            assertThat(bob.allowance().inFlight()).isEqualTo(2);
            assertThat(json.nextToken()).isNotNull();
            assertThat(json.currentName()).isEqualTo("sub");
        }
    }

    @Test
    void aClaimHasNoNameAndNoHash() {
        assertThatThrownBy(() -> PrincipalFields.of("bob", Map.of("hash", "x")))
                .hasMessage("unknown field \"hash\" (expected: a known field; the nearest is paths)");
    }

    @Test
    void nullOfALibraryIsAWrongValue() {
        assertThatThrownBy(() -> PrincipalFields.of("bob", Collections.singletonMap("models", null)))
                .hasMessageStartingWith("models: null (expected: a list of names");
        assertThatThrownBy(() -> PrincipalFields.of("bob", Map.of("in_flight", new BigDecimal("2.5"))))
                .hasMessageStartingWith("in_flight: 2.5 (expected: a whole number");
    }

    @ParameterizedTest
    @CsvSource({
        "2027-01-01, 2027-01-01T00:00:00Z",
        "2027-01-01T00:00:00Z, 2027-01-01T00:00:00Z",
        "2027-01-01T02:00:00.5+02:00, 2027-01-01T00:00:00.500Z"
    })
    void aTimeMayBeADateOrHaveAnOffset(String text, Instant expected) throws FieldsException {
        assertThat(PrincipalFields.of("a", Map.of("expires", text)).expires()).contains(expected);
    }

    @ParameterizedTest
    @CsvSource({"1500ms, PT1.5S", "90s, PT90S", "5m, PT5M", "2h, PT2H", "365d, PT8760H", "0s, PT0S"})
    void aDurationHasItsUnit(String text, Duration expected) throws FieldsException {
        assertThat(PrincipalFields.of("a", Map.of("gpu_time_per_day", text))
                        .allowance()
                        .gpuTimePerDay())
                .isEqualTo(expected);
    }

    /** Columns: the further field, what is said of it. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        "owner":5                    | owner: 5 (expected: text)
        "owner":null                 | owner: null (expected: text)
        "models":"llama3"            | models: "llama3" (expected: a list of names such as "llama3*")
        "models":["a b"]             | models: "a b" (expected: a list of names such as "llama3*")
        "models":[["a"]]             | models: a list (expected: a list of names such as "llama3*")
        "models":[{"a":1}]           | models: an object (expected: a list of names such as "llama3*")
        "paths":["api"]              | paths: "api" (expected: a list of paths such as "/api/chat" or "/v1/*")
        "paths":{"a":[1]}            | paths: an object (expected: a list of paths such as "/api/chat" or "/v1/*")
        "requests":10                | requests: 10 (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s)
        "requests":"0/s"             | requests: "0/s" (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s)
        "requests_burst":5           | requests_burst: 5 (expected: 0, or requests beside it)
        "requests":"1/s","requests_burst":-1 | requests_burst: -1 (expected: a whole number from 0 to 1000000)
        "requests":"1/s","requests_burst":1.0 | requests_burst: 1.0 (expected: a whole number from 0 to 1000000)
        "tokens":"x","tokens_burst":7 | tokens: "x" (expected: a rate such as 10/s, 600/m or 3600/h, up to 1000000/s)
        "tokens_per_day":"5"         | tokens_per_day: "5" (expected: a whole number from 0 to 999999999999999)
        "tokens_per_month":99999999999999999999 | tokens_per_month: 99999999999999999999 (expected: a whole number from 0 to 999999999999999)
        "gpu_time_per_day":"2"       | gpu_time_per_day: "2" (expected: a duration such as 90m or 2h, up to 365d)
        "gpu_time_per_day":"366d"    | gpu_time_per_day: "366d" (expected: a duration such as 90m or 2h, up to 365d)
        "gpu_time_per_month":7200    | gpu_time_per_month: 7200 (expected: a duration such as 90m or 2h, up to 365d)
        "in_flight":true             | in_flight: true (expected: a whole number from 0 to 1000000)
        "priority":"a b"             | priority: "a b" (expected: a word such as interactive)
        "expires":"2027-02-30"       | expires: "2027-02-30" (expected: a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z)
        "expires":"2027-01-01T00:00" | expires: "2027-01-01T00:00" (expected: a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z)
        "expires":1798761600         | expires: 1798761600 (expected: a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z)
        "enabled":"yes"              | enabled: "yes" (expected: true or false)
        "model":["a"]                | unknown field "model" (expected: a known field; the nearest is models)
        "request_burst":5            | unknown field "request_burst" (expected: a known field; the nearest is requests_burst)
        "owner":"a","owner":"b"      | owner: "b" (expected: each field once)
        """)
    void aWrongFieldIsSaidWithItsExpectation(String field, String said) {
        assertThat(problems(Keys.line("alice", SECRET, "," + field))).containsExactly(said);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        []                    | no object (expected: one object in JSON, such as {"name":"alice","hash":"sha256:..."})
        drover_sesame         | no JSON at column 1 (expected: one object in JSON, such as {"name":"alice","hash":"sha256:..."})
        {"name":"alice"       | no JSON at column 16 (expected: one object in JSON, such as {"name":"alice","hash":"sha256:..."})
        {"name":"alice"}      | no hash (expected: sha256: and 64 hexadecimal digits, as the command key prints it)
        {"name":"alice","hash":"sesame"} | hash: (hidden) (expected: sha256: and 64 hexadecimal digits, as the command key prints it)
        {"name":"alice","hash":5} | hash: (hidden) (expected: sha256: and 64 hexadecimal digits, as the command key prints it)
        """)
    void whatIsNoLineSaysSoWithoutRepeatingIt(String line, String said) {
        assertThat(problems(line)).containsExactly(said);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a/b", "ä", "a\\n"})
    void aNameCanBeWrittenAnywhere(String name) {
        assertThat(problems(Keys.line(name, SECRET)))
                .singleElement()
                .asString()
                .startsWith("name: \"")
                .endsWith("(expected: a name of 1 to 255 letters, digits and . _ - : [ ])");
    }

    @Test
    void moreBehindTheObjectIsAMistake() {
        assertThat(problems(Keys.line("alice", SECRET) + Keys.line("bob", "other")))
                .singleElement()
                .asString()
                .startsWith("more behind the object");
    }

    @Test
    void secretsAndHashesAreNotRepeatedWhereverTheyStand() {
        String hash = Keys.hash(SECRET).toString();

        for (String line : List.of(
                "{\"name\":\"" + hash + " \",\"hash\":\"" + hash + "\"}",
                Keys.line("alice", SECRET, ",\"requests\":\"" + SECRET + "\""),
                Keys.line("alice", SECRET, ",\"" + SECRET + "\":1"),
                Keys.line("alice", SECRET, ",\"hsah\":\"" + hash + "\""),
                Keys.line("alice", SECRET, ",\"models\":[\"" + hash + " \"]"))) {
            assertThat(problems(line))
                    .singleElement()
                    .asString()
                    .doesNotContain(hash.substring(10))
                    .doesNotContain(SECRET);
        }
        assertThat(Keys.key("alice", SECRET)).hasToString("alice");
    }

    @Test
    void everyMistakeIsToldWithItsLine() throws IOException {
        KeyLines lines = new KeyLines(number -> "line " + number, ApiKeys.NONE);

        lines.addAll(new BufferedReader(new StringReader(String.join(
                "\r\n",
                "# keys",
                Keys.line("alice", "one"),
                "",
                Keys.line("bob", "two", ",\"owner\":1,\"enabled\":1"),
                Keys.line("alice", "three"),
                Keys.line("carol", "one"),
                "   ",
                Keys.line("dave", "four")))));

        assertThat(lines.problems())
                .containsExactly(
                        "line 4: owner: 1 (expected: text)",
                        "line 4: enabled: 1 (expected: true or false)",
                        "line 5: name: \"alice\" (expected: a name of its own; line 2 has this one)",
                        "line 6: hash: (hidden) (expected: a hash of its own; line 2 has this one)");
        assertThat(lines.keys()).extracting(KeyLine::name).containsExactly("alice", "dave");
    }

    @Test
    void ofVeryManyMistakesTheNumberIsTold() throws IOException {
        KeyLines lines = new KeyLines(number -> "line " + number, ApiKeys.NONE);

        lines.addAll(new BufferedReader(new StringReader("x\n".repeat(150))));

        assertThat(lines.problems()).hasSize(101).last().isEqualTo("and 50 more");
    }

    @Test
    void amongManyEachSecondOneIsFound() throws IOException {
        KeyLines lines = new KeyLines(Integer::toString, ApiKeys.NONE);
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= 1_000; i++) {
            text.append(Keys.line("key-" + i, "secret-" + i)).append('\n');
        }
        text.append(Keys.line("key-1", "another")).append('\n').append(Keys.line("other", "secret-1000"));

        lines.addAll(new BufferedReader(new StringReader(text.toString())));

        assertThat(lines.problems())
                .containsExactly(
                        "1001: name: \"key-1\" (expected: a name of its own; 1 has this one)",
                        "1002: hash: (hidden) (expected: a hash of its own; 1000 has this one)");
        assertThat(lines.keys()).hasSize(1_000);
    }

    @Test
    void whatManyKeysHaveInCommonIsKeptOnce() throws IOException {
        KeyLines lines = new KeyLines(Integer::toString, ApiKeys.NONE);
        String common = ",\"owner\":\"team\",\"models\":[\"a*\"],\"requests\":\"1/s\"";

        lines.addAll(new BufferedReader(
                new StringReader(Keys.line("a", "one", common) + "\n" + Keys.line("b", "two", common))));

        assertThat(lines.keys()).hasSize(2);
        Principal a = lines.keys().get(0).verdict().principal();
        Principal b = lines.keys().get(1).verdict().principal();
        assertThat(a).isNotNull();
        assertThat(b).isNotNull();
        assertThat(b.allowance()).isSameAs(a.allowance());
        assertThat(b.models()).isSameAs(a.models());
        assertThat(b.owner()).isSameAs(a.owner());
    }

    private static List<String> problems(String line) {
        try {
            KeyLine.parse(line);
            return List.of();
        } catch (FieldsException wrong) {
            return wrong.problems().stream().map(FieldProblem::toString).toList();
        }
    }
}
