package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.config.DroverConfig;
import io.drover.http.BadMessageException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ListingAnswerTest {
    private static final DroverConfig.Limits LIMITS =
            Herd.of(Map.of(), "http://127.0.0.1:1").config.limits();

    private static final String CHUNKED = String.join(
            "\r\n",
            "HTTP/1.1 100 Continue",
            "",
            "HTTP/1.1 200 OK",
            "Transfer-Encoding: chunked",
            "",
            "15;a=\"b\"",
            "{\"models\":[{\"name\":\"a",
            "11",
            "\",\"digest\":\"1\"}]}",
            "0",
            "Trailer: x",
            "",
            "");

    private static final Map<String, String> A = Map.of("registry.ollama.ai/library/a:latest", "1");

    @Test
    void aChunkedAnswerSplitAnywhere() throws Exception {
        for (int split = 0; split <= CHUNKED.length(); split++) {
            ListingAnswer answer = new ListingAnswer(LIMITS);
            boolean early = answer.read(bytes(CHUNKED.substring(0, split)));
            boolean whole = early || answer.read(bytes(CHUNKED.substring(split)));

            assertThat(early).as("split at " + split).isEqualTo(split == CHUNKED.length());
            assertThat(whole).isTrue();
            assertThat(answer.models()).isEqualTo(A);
            assertThat(answer.isReusable()).isTrue();
        }
    }

    @Test
    void bytesBehindTheEndAreLeft() throws Exception {
        ListingAnswer answer = new ListingAnswer(LIMITS);
        ByteBuf bytes = bytes("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"models\":[]}HTTP");

        assertThat(answer.read(bytes)).isTrue();

        assertThat(bytes.readableBytes()).isEqualTo(4);
        assertThat(answer.models()).isEmpty();
    }

    @Test
    void withoutFramingTheConnectionsEndIsItsEnd() throws Exception {
        ListingAnswer answer = new ListingAnswer(LIMITS);
        assertThat(answer.isUntouched()).isTrue();
        assertThat(answer.endsWithConnection()).isFalse();

        assertThat(answer.read(bytes("HTTP/1.1 200 OK\r\n\r\n{\"models\":[{\"name\":\"a\",\"digest\":\"1\"}]}")))
                .isFalse();

        assertThat(answer.isUntouched()).isFalse();
        assertThat(answer.endsWithConnection()).isTrue();
        assertThat(answer.isReusable()).isFalse();
        assertThat(answer.models()).isEqualTo(A);
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.0 200 OK\r\n", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\n"})
    void whatClosesIsNotReused(String start) throws Exception {
        ListingAnswer answer = new ListingAnswer(LIMITS);

        assertThat(answer.read(bytes(start + "Content-Length: 13\r\n\r\n{\"models\":[]}")))
                .isTrue();

        assertThat(answer.isReusable()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "404 X | Content-Length: 0 | | answered 404",
                "101 X | Upgrade: h2c | | answered 101",
                "302 X | Location: / | | answered 302",
                "200 X | Content-Length: 4194305 | | a listing of more than 4194304 bytes",
                "200 X | Content-Length: 5 | hello | no listing of models: Unexpected character",
                "200 X | Transfer-Encoding: chunked | zz | a chunk without a size",
                "200 X | Content-Length: -1 | | Content-Length \"-1\" (expected",
                "200 X | Transfer-Encoding: gzip | | Transfer-Encoding other than",
            })
    void whatIsRefused(String status, String field, String body, String why) {
        String text = "HTTP/1.1 " + status + "\r\n" + field + "\r\n\r\n" + (body == null ? "" : body + "\r\n");
        ListingAnswer answer = new ListingAnswer(LIMITS);

        assertThatThrownBy(() -> {
                    if (answer.read(bytes(text))) {
                        answer.models();
                    }
                })
                .isInstanceOfAny(IOException.class, BadMessageException.class)
                .hasMessageContaining(why);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 0", "Transfer-Encoding: chunked"})
    void anEmptyBodyIsNoListing(String field) throws Exception {
        ListingAnswer answer = new ListingAnswer(LIMITS);
        String rest = field.startsWith("T") ? "0\r\n\r\n" : "";

        assertThat(answer.read(bytes("HTTP/1.1 200 OK\r\n" + field + "\r\n\r\n" + rest)))
                .isTrue();

        assertThatThrownBy(answer::models).isInstanceOf(IOException.class).hasMessageContaining("no \"models\"");
    }

    @Test
    void asManyBytesAsAllowedAndOneMore() throws Exception {
        String head = "HTTP/1.1 200 OK\r\n\r\n{\"models\":[]}";
        int padding = ListingAnswer.MAX_BYTES - "{\"models\":[]}".length();
        ListingAnswer answer = new ListingAnswer(LIMITS);
        answer.read(bytes(head));
        answer.read(bytes(" ".repeat(padding)));

        assertThatThrownBy(() -> answer.read(bytes(" ")))
                .isInstanceOf(IOException.class)
                .hasMessage("a listing of more than 4194304 bytes");
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.ISO_8859_1));
    }
}
