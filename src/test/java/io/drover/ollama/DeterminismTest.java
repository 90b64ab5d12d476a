package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeterminismTest {
    private static boolean isAsked(Endpoint endpoint, String body) {
        return Determinism.isAsked(endpoint, new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'options':{'seed':7}}",
                "{'options':{'seed':0}}",
                "{'options':{'temperature':0}}",
                "{'options':{'temperature':0.0,'seed':-1}}",
                "{'options':{'temperature':-0e9}}",
                "{'OPTIONS':{'seed':7},'messages':[{'options':null}]} trailing",
                "{'options':{'seed':-1,'seed':7.0}}",
                "{'options':{'stop':[{'seed':1}],'seed':7},'options':{'num_ctx':1}}"
            })
    void byTheOptionsOfOllamasOwnApi(String body) {
        assertThat(isAsked(Endpoint.CHAT, body.replace('\'', '"'))).isTrue();
        assertThat(isAsked(Endpoint.V1_COMPLETIONS, body.replace('\'', '"'))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'seed':7}",
                "{'SEED':7,'temperature':1}",
                "{'temperature':0}",
                "{'messages':[{'seed':null}],'Temperature':0.0}"
            })
    void byTheTopLevelOfOpenAis(String body) {
        assertThat(isAsked(Endpoint.V1_CHAT_COMPLETIONS, body.replace('\'', '"')))
                .isTrue();
        assertThat(isAsked(Endpoint.GENERATE, body.replace('\'', '"'))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{}",
                "{'options':{}}",
                "{'options':{'seed':-1}}",
                "{'options':{'seed':'7'}}",
                "{'options':{'seed':7,'seed':null}}",
                "{'options':{'seed':7},'options':null}",
                "{'options':{'Seed':7}}",
                "{'options':{'temperature':0.1}}",
                "{'options':{'x':{'seed':7}}}",
                "{'options':[{'seed':7}]}",
                "{'x':{'options':{'seed':7}}}",
                "{'options':{'seed':7}",
                "{'seed':-1}",
                "{'seed':null,'temperature':null}",
                "{'messages':[{'seed':7,'temperature':0}]}"
            })
    void nothingElseAsksForIt(String body) {
        assertThat(isAsked(Endpoint.GENERATE, body.replace('\'', '"'))).isFalse();
        assertThat(isAsked(Endpoint.V1_CHAT_COMPLETIONS, body.replace('\'', '"')))
                .isFalse();
    }
}
