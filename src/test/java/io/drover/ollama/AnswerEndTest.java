package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerEndTest {
    private static AnswerEnd end(Endpoint endpoint, String text, boolean cloud) {
        TailRing tail = new TailRing();
        ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
        tail.append(bytes, 0, bytes.readableBytes());
        bytes.release();
        return AnswerEnd.of(tail, FinalRecord.parse(tail, endpoint), endpoint, cloud);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
        CHAT                | {"done":false}¶{"done":true}¶                                          | DONE
        CHAT                | {"done":false}¶                                                        | UNFINISHED
        GENERATE            | {"response":"x","done":false}                                          | UNFINISHED
        EMBED               | {"embeddings":[[1]],"total_duration":5}                                | DONE
        EMBED               | {"embeddings":[[1]]}                                                   | UNFINISHED
        EMBEDDINGS          | {"embedding":[1]}                                                      | UNTOLD
        V1_TRANSCRIPTIONS   | {"text":"x"}                                                           | UNTOLD
        TAGS                | {"models":[]}                                                          | UNTOLD
        V1_CHAT_COMPLETIONS | data: {"choices":[]}¶¶data: [DONE]¶¶                                   | DONE
        V1_CHAT_COMPLETIONS | data: {"choices":[]}¶¶                                                 | UNFINISHED
        V1_MESSAGES         | event: message_stop¶data: {"type":"message_stop"}¶¶                    | DONE
        V1_MESSAGES         | event: ping¶data: {"type":"ping"}¶¶                                    | UNFINISHED
        CHAT                | {"done":false}¶{"error":"an error was encountered while running the model: EOF"}¶ | FAILED
        CHAT                | {"error":"model runner has unexpectedly stopped, out of luck"}¶        | FAILED
        CHAT                | {"done":false}¶{"error":"option \\"seed\\" must be of type int"}¶      | REFUSED
        V1_CHAT_COMPLETIONS | data: {}¶¶data: {"error":{"message":"an error was encountered while running the model: EOF"}}¶¶ | FAILED
        """)
    void theLastLineTells(Endpoint endpoint, String text, AnswerEnd expected) {
        assertThat(end(endpoint, text.replace('¶', '\n'), false)).isEqualTo(expected);
    }

    @Test
    void errorsOfCloudModelsAreNotTheBackends() {
        String line = "{\"error\":\"an error was encountered while running the model: EOF\"}\n";
        assertThat(end(Endpoint.CHAT, line, true)).isEqualTo(AnswerEnd.REFUSED);
    }

    @Test
    void anAnswerThatTellsNothingHasNoEnd() {
        assertThat(AnswerEnd.of(null, FinalRecord.UNKNOWN, Endpoint.CHAT, false))
                .isEqualTo(AnswerEnd.UNTOLD);
    }
}
