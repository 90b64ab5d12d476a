package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerVersionTest {
    private static @Nullable String of(String answer) {
        return ServerVersion.of(answer.getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "{\"version\":\"0.32.15\"} | 0.32.15",
                " { \"version\" : \"0.6.0-rc1\" }  | 0.6.0-rc1",
                "{\"more\":{\"version\":\"1\"},\"list\":[{\"version\":\"2\"}],\"version\":\"3\",\"n\":null} | 3",
                "{\"version\":\"1\",\"version\":\"2\"} | 2",
            })
    void theVersionOfTheServer(String answer, String version) {
        assertThat(of(answer)).isEqualTo(version);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0.32.15",
                "\"0.32.15\"",
                "null",
                "{}",
                "[\"version\"]",
                "{\"Version\":\"1\"}",
                "{\"version\":\"\"}",
                "{\"version\":1}",
                "{\"version\":null}",
                "{\"version\":[\"1\"]}",
                "{\"version\":\"1\",\"version\":null}",
                "{\"version\":\"1\"}{}",
                "{\"version\":\"1\"} x",
                "<html>",
            })
    void whatIsNoSuchAnswer(String answer) {
        assertThat(of(answer)).isNull();
    }

    @Test
    void anAnswerThatIsCutShortTellsNone() {
        String whole = "{\"version\":\"0.32.15\"}";
        for (int end = 0; end < whole.length(); end++) {
            assertThat(of(whole.substring(0, end))).as(whole.substring(0, end)).isNull();
        }
    }
}
