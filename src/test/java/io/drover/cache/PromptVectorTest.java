package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptVectorTest {
    private static float @org.jspecify.annotations.Nullable [] read(String answer) {
        return PromptVector.read(answer.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void theQuestionForbidsToCutThePrompt() {
        assertThat(new String(PromptVector.question("nomic", "say \"x\"\n"), StandardCharsets.UTF_8))
                .isEqualTo("{\"model\":\"nomic\",\"input\":\"say \\\"x\\\"\\n\",\"truncate\":false}");
    }

    @Test
    void theVectorHasALengthOfOne() {
        assertThat(read("{\"model\":\"nomic\",\"more\":{\"a\":[1]},\"embeddings\":[[3,-4.0e0]],\"total_duration\":1}"))
                .containsExactly(0.6f, -0.8f);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{}",
                "{\"error\":\"x\"}",
                "{\"embeddings\":[]}",
                "{\"embeddings\":null}",
                "{\"embeddings\":[[]]}",
                "{\"embeddings\":[[0,0]]}",
                "{\"embeddings\":[[1,\"x\"]]}",
                "{\"embeddings\":[[1,null]]}",
                "{\"embeddings\":[[1e999,1]]}",
                "{\"embeddings\":[[1,"
            })
    void whatIsNoVectorIsNone(String answer) {
        assertThat(read(answer)).isNull();
    }
}
