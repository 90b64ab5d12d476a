package io.drover.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig;
import io.drover.http.MessageHead;
import io.drover.metrics.AuditLog;
import io.drover.metrics.AuditedBody;
import io.drover.ollama.Endpoint;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class BodyCopyTest {
    private static final int MAX_PROMPT = 2_000;

    private final Path dir;

    BodyCopyTest(@TempDir Path dir) {
        this.dir = dir;
    }

    private @Nullable BodyCopy copy(Endpoint endpoint, boolean enabled, boolean prompts, String... fields)
            throws IOException {
        MessageHead head = Heads.of(fields);
        try (AuditLog log = AuditLog.open(
                new DroverConfig.AuditLog(
                        enabled, dir.resolve("audit.log"), prompts, MAX_PROMPT, 10, 1 << 20, 1 << 20, 1),
                (reason, lines) -> {})) {
            return BodyCopy.of(endpoint, head, log);
        }
    }

    private static String text(AuditedBody body) {
        return UTF_8.decode(body.bytes().duplicate()).toString();
    }

    private AuditedBody copied(String text, int piece) throws IOException {
        BodyCopy copy = Objects.requireNonNull(copy(Endpoint.CHAT, true, true));
        ByteBuf in = Unpooled.copiedBuffer(text, UTF_8);
        for (int from = 0; from < in.readableBytes(); from += piece) {
            copy.feed(in, from, Math.min(from + piece, in.readableBytes()));
        }
        assertThat(in.readerIndex()).isZero();
        copy.end();
        return Objects.requireNonNull(copy.toAuditedBody());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 10_000})
    void whatComesInPiecesIsWhole(int piece) throws IOException {
        AuditedBody body = copied("{\"prompt\":\"Gr\u00fc\u00dfe, wie geht es?\"}", piece);

        assertThat(text(body)).isEqualTo("{\"prompt\":\"Gr\u00fc\u00dfe, wie geht es?\"}");
        assertThat(body.cut()).isFalse();
        assertThat(body.prompt()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 10_000})
    void aLongRunOfBase64IsLeftOutAndWhatFollowsIsNot(int piece) throws IOException {
        AuditedBody body =
                copied("{\"images\":[\"" + "iVBOR/+0".repeat(1_000) + "==\"],\"prompt\":\"what is it?\"}", piece);

        assertThat(text(body))
                .isEqualTo(
                        "{\"images\":[\"" + "iVBOR/+0".repeat(32) + "...[7746 bytes]\"],\"prompt\":\"what is it?\"}");
        assertThat(body.cut()).isFalse();
    }

    @Test
    void theLongestRunThatMayBeAWordStays() throws IOException {
        String word = "\"" + "x".repeat(256) + "\"";

        assertThat(text(copied(word, 100))).isEqualTo(word);
    }

    @Test
    void moreThanMaxPromptIsCut() throws IOException {
        AuditedBody exact = copied("ab ".repeat(700).substring(0, MAX_PROMPT), 300);
        AuditedBody more = copied("ab ".repeat(700).substring(0, MAX_PROMPT + 1), 300);

        assertThat(exact.cut()).isFalse();
        assertThat(more.cut()).isTrue();
        assertThat(text(more)).hasSize(MAX_PROMPT).isEqualTo(text(exact));
    }

    @Test
    void aBodyWhoseEndDidNotComeIsCut() throws IOException {
        BodyCopy copy = Objects.requireNonNull(copy(Endpoint.CHAT, true, true));
        copy.feed(Unpooled.copiedBuffer("{\"model\":", UTF_8), 0, 9);

        assertThat(Objects.requireNonNull(copy.toAuditedBody()).cut()).isTrue();
    }

    @Test
    void ofNothingThereIsNothing() throws IOException {
        assertThat(Objects.requireNonNull(copy(Endpoint.CHAT, true, true)).toAuditedBody())
                .isNull();
    }

    @ParameterizedTest
    @EnumSource(
            value = Endpoint.class,
            names = {"CHAT", "GENERATE", "V1_MESSAGES", "V1_EMBEDDINGS"})
    void promptsAreCopiedOnlyWhereTheyAreWanted(Endpoint endpoint) throws IOException {
        assertThat(copy(endpoint, true, true)).isNotNull();
        assertThat(copy(endpoint, true, false)).isNull();
        assertThat(copy(endpoint, false, true)).isNull();
        assertThat(copy(endpoint, true, true, "Content-Encoding: gzip")).isNull();
    }

    @ParameterizedTest
    @EnumSource(
            value = Endpoint.class,
            names = {"PULL", "PUSH", "CREATE", "COPY", "DELETE"})
    void requestsAboutModelsAreCopiedForTheNamesInThem(Endpoint endpoint) throws IOException {
        BodyCopy copy = Objects.requireNonNull(copy(endpoint, true, true));
        copy.feed(Unpooled.copiedBuffer("{}", UTF_8), 0, 2);

        assertThat(Objects.requireNonNull(copy.toAuditedBody()).prompt()).isFalse();
        assertThat(copy(endpoint, true, false)).isNotNull();
        assertThat(copy(endpoint, false, false)).isNull();
    }

    @ParameterizedTest
    @EnumSource(
            value = Endpoint.class,
            names = {"BLOBS", "SHOW", "V1_TRANSCRIPTIONS", "OTHER", "TAGS"})
    void nothingElseIsCopied(Endpoint endpoint) throws IOException {
        assertThat(copy(endpoint, true, true)).isNull();
    }
}
