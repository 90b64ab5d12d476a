package io.drover.cache;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.ollama.Endpoint;
import io.drover.testing.RawClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A backend is asked for both forms; what each is told as says the same as the other. */
class SimulatedFormsTest {
    private static SimulatedOllama ollama;

    @BeforeAll
    static void start() {
        ollama = SimulatedOllama.start(
                SimulatedOllama.Settings.defaults().withFixedClock(true).withTokens(20));
    }

    @AfterAll
    static void stop() {
        ollama.close();
    }

    private static CachedAnswer answer(Endpoint endpoint, Form form) {
        String asked =
                switch (endpoint) {
                    case GENERATE, V1_COMPLETIONS -> "\"prompt\":\"hello\"";
                    case V1_RESPONSES -> "\"input\":\"hello\"";
                    default -> "\"max_tokens\":20,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]";
                };
        String options = form == Form.STREAM_WITH_USAGE ? ",\"stream_options\":{\"include_usage\":true}" : "";
        String body = "{\"model\":\"llama3.2\"," + asked + ",\"stream\":" + (form != Form.WHOLE) + options + "}";
        try (RawClient client = RawClient.connect(ollama.address())) {
            client.request("POST", endpoint.label(), body);
            RawClient.Head head = client.readHead();
            assertThat(head.status()).isEqualTo(200);
            byte[] told = client.readBody(head);
            CachedAnswer answer =
                    CachedAnswer.of(endpoint, form, head.header("Content-Type"), told.clone(), Answers.ORIGIN);
            assertThat(answer).as(new String(told, UTF_8)).isNotNull();
            return answer;
        }
    }

    private static String steady(CachedAnswer answer) {
        return Answers.steady(Answers.text(answer));
    }

    private static void assertTold(CachedAnswer from, Form form, CachedAnswer expected) {
        CachedAnswer told = from.as(form);
        assertThat(told).isNotNull();
        assertThat(steady(told)).isEqualTo(steady(expected));
        assertThat(told.contentType()).isEqualTo(expected.contentType());
        assertThat(told.tokens()).isEqualTo(expected.tokens());
    }

    @ParameterizedTest
    @EnumSource(names = {"GENERATE", "CHAT", "V1_MESSAGES", "V1_RESPONSES"})
    void aStreamIsToldAsTheBackendTellsItWhole(Endpoint endpoint) {
        assertTold(answer(endpoint, Form.STREAM), Form.WHOLE, answer(endpoint, Form.WHOLE));
    }

    @ParameterizedTest
    @EnumSource(names = {"V1_CHAT_COMPLETIONS", "V1_COMPLETIONS"})
    void aStreamWithUsageIsToldAsTheBackendTellsItWhole(Endpoint endpoint) {
        assertTold(answer(endpoint, Form.STREAM_WITH_USAGE), Form.WHOLE, answer(endpoint, Form.WHOLE));
        assertTold(answer(endpoint, Form.STREAM_WITH_USAGE), Form.STREAM, answer(endpoint, Form.STREAM));
    }

    @ParameterizedTest
    @EnumSource(names = {"GENERATE", "CHAT", "V1_MESSAGES"})
    void wholeAndBackIsTheSame(Endpoint endpoint) {
        CachedAnswer whole = answer(endpoint, Form.WHOLE);
        CachedAnswer stream = whole.as(Form.STREAM);

        assertThat(stream).isNotNull();
        assertTold(stream, Form.WHOLE, whole);
    }

    @ParameterizedTest
    @EnumSource(names = {"V1_CHAT_COMPLETIONS", "V1_COMPLETIONS"})
    void wholeAndBackByUsageIsTheSame(Endpoint endpoint) {
        CachedAnswer whole = answer(endpoint, Form.WHOLE);
        CachedAnswer stream = whole.as(Form.STREAM_WITH_USAGE);

        assertThat(stream).isNotNull();
        assertTold(stream, Form.WHOLE, whole);
        assertThat(whole.as(Form.STREAM)).isNotNull();
    }
}
