package io.drover.cache;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.Endpoint;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Makes answers of texts, and texts of answers, for the tests of what is kept. */
final class Answers {
    static final Origin ORIGIN = new Origin("llama3.2:latest", 7, 1_787_363_302_000L);
    /** 2026-08-22T01:48:22.125Z. */
    static final long WALL_MILLIS = 1_787_363_302_125L;

    private Answers() {}

    static @Nullable CachedAnswer tried(Endpoint endpoint, Form form, String body) {
        return tried(endpoint, form, body.getBytes(UTF_8));
    }

    static @Nullable CachedAnswer tried(Endpoint endpoint, Form form, byte[] body) {
        return CachedAnswer.of(endpoint, form, ContentTypes.of(endpoint, form), body, ORIGIN);
    }

    static CachedAnswer kept(Endpoint endpoint, Form form, String body) {
        CachedAnswer answer = tried(endpoint, form, body);
        assertThat(answer).as(body).isNotNull();
        return answer;
    }

    /** The answer in another form, with what changes replaced by words. */
    static @Nullable String told(Endpoint endpoint, Form from, String body, Form to) {
        CachedAnswer told = kept(endpoint, from, body).as(to);
        return told == null ? null : steady(text(told));
    }

    static String text(CachedAnswer answer) {
        return text(answer, 1 << 20);
    }

    /** One replay, in pieces of so many bytes. */
    static String text(CachedAnswer answer, int piece) {
        Rendering rendering = answer.rendering(WALL_MILLIS, new Random(1));
        ByteBuf all = Unpooled.buffer();
        while (!rendering.isDone()) {
            ByteBuf out = Unpooled.buffer(piece, piece);
            rendering.writeTo(out);
            assertThat(out.readableBytes()).isPositive();
            all.writeBytes(out);
        }
        assertThat(rendering.length()).isEqualTo(all.readableBytes());
        return all.toString(UTF_8);
    }

    /** With T for times of RFC 3339, S for seconds, N for what is random in an id. */
    static String steady(String text) {
        return text.replaceAll("\"created_at\":\"2026-08-22T01:48:22\\.\\d+Z\"", "\"created_at\":\"T\"")
                .replaceAll("\"(created|created_at|completed_at)\":1787363302", "\"$1\":\"S\"")
                .replaceAll("\"id\":\"(chatcmpl-|cmpl-|resp_|msg_)[0-9a-f]+\"", "\"id\":\"$1N\"");
    }
}
