package io.drover.proxy;

import static io.drover.ollama.RetryClass.Verdict.MISCONFIGURED;
import static io.drover.ollama.RetryClass.Verdict.NEXT_BACKEND;
import static io.drover.ollama.RetryClass.Verdict.RELAY;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.RetryClass.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How long a response is held back, and the verdict that ends it. */
class HoldBackTest {
    private static final int LIMIT = 1024;
    private static final String BROKEN = "{\"error\":\"llama runner process has terminated\"}";

    @Test
    void onlyASuccessWithABodyAndErrorsCanBeRetried() {
        for (int status = 200; status < 600; status++) {
            assertThat(HoldBack.concerns(status)).isEqualTo(status == 200 || status >= 400);
        }
    }

    @Test
    void aSuccessGoesOnWithItsFirstLine() {
        HoldBack holdBack = new HoldBack(200, 0, LIMIT, false);
        assertThat(feed(holdBack, "{\"response\":")).isNull();
        assertThat(feed(holdBack, "\"a\"}")).isNull();
        assertThat(feed(holdBack, "\n{\"resp")).isEqualTo(RELAY);
        assertThat(feed(new HoldBack(200, 0, LIMIT, false), "\n")).isEqualTo(RELAY);
    }

    @Test
    void aWholeBodyWithoutALineIsJudgedAtOnce() {
        String body = "{\"response\":\"a\"}";
        assertThat(feed(new HoldBack(200, body.length(), LIMIT, false), body)).isEqualTo(RELAY);
        HoldBack inTwo = new HoldBack(200, body.length(), LIMIT, false);
        assertThat(feed(inTwo, body.substring(0, 5))).isNull();
        assertThat(feed(inTwo, body.substring(5))).isNull();
        assertThat(inTwo.judge()).isEqualTo(RELAY);
        HoldBack error = new HoldBack(200, BROKEN.length(), LIMIT, false);
        assertThat(feed(error, BROKEN)).isNull();
        assertThat(error.judge()).isEqualTo(NEXT_BACKEND);
    }

    @Test
    void aSuccessWithoutALineGoesOnAtTheLimit() {
        HoldBack holdBack = new HoldBack(200, 0, LIMIT, false);
        for (int i = 0; i < LIMIT - 1; i++) {
            assertThat(feed(holdBack, "x")).isNull();
        }
        assertThat(feed(holdBack, "x")).isEqualTo(RELAY);
        assertThat(feed(new HoldBack(200, 0, LIMIT, false), "x".repeat(5 * LIMIT)))
                .isEqualTo(RELAY);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 9, 12, 46, 47, 48})
    void aFirstLineThatTellsOfABrokenBackendIsNotForTheClient(int cut) {
        String line = BROKEN + "\n";
        HoldBack holdBack = new HoldBack(200, 0, LIMIT, false);
        Verdict first = feed(holdBack, line.substring(0, Math.min(cut, line.length())));
        Verdict verdict = first == null ? feed(holdBack, line.substring(cut) + "{\"more\":1}\n") : first;
        assertThat(verdict).isEqualTo(NEXT_BACKEND);
    }

    @Test
    void aLaterLineOfASuccessIsTheClients() {
        assertThat(feed(new HoldBack(200, 0, LIMIT, false), "{\"response\":\"a\"}\n" + BROKEN + "\n"))
                .isEqualTo(RELAY);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "500 | {\"error\":\"llama runner process has terminated\"} | NEXT_BACKEND",
                "500 | {\"error\":\"option \\\"x\\\" is wrong\"} | RELAY",
                "503 | {\"error\":\"server busy, please try again\"} | BUSY",
                "503 | loading | NEXT_BACKEND",
                "502 | '' | NEXT_BACKEND",
                "404 | {\"error\":\"model 'm' not found\"} | MISSING_MODEL",
                "404 | 404 page not found | RELAY",
                "403 | '' | MISCONFIGURED",
                "400 | {\"error\":\"x\"} | RELAY"
            })
    void anErrorIsJudgedAtItsEndWhateverItsPieces(int status, String body, Verdict verdict) {
        for (int size = 1; size <= body.length() + 1; size++) {
            HoldBack holdBack = new HoldBack(status, 0, LIMIT, false);
            for (int from = 0; from < body.length(); from += size) {
                assertThat(feed(holdBack, body.substring(from, Math.min(body.length(), from + size))))
                        .isNull();
            }
            assertThat(holdBack.judge()).isEqualTo(verdict);
        }
    }

    @Test
    void anErrorOfManyLinesIsJudgedAtTheLimitAtTheLatest() {
        HoldBack holdBack = new HoldBack(502, 0, LIMIT, false);
        assertThat(feed(holdBack, "line\n".repeat(LIMIT / 5))).isNull();
        assertThat(feed(holdBack, "line\n".repeat(LIMIT))).isEqualTo(NEXT_BACKEND);
    }

    @Test
    void aCloudModelsErrorsAreTheSameEverywhere() {
        HoldBack holdBack = new HoldBack(502, 0, LIMIT, true);
        assertThat(feed(holdBack, "bad gateway")).isNull();
        assertThat(holdBack.judge()).isEqualTo(RELAY);
        assertThat(new HoldBack(403, 0, LIMIT, true).judge()).isEqualTo(MISCONFIGURED);
    }

    @Test
    void aSuccessWithoutBodyGoesOn() {
        assertThat(new HoldBack(200, 0, LIMIT, false).judge()).isEqualTo(RELAY);
    }

    @Test
    void payloadIsTakenFromItsRangesOnly() {
        String wire = "8\r\n{\"error\"\r\n5\r\n:\"llam\r\n";
        ByteBuf buf = Unpooled.copiedBuffer(wire, StandardCharsets.US_ASCII);
        PayloadRanges ranges = new PayloadRanges();
        ranges.add(wire.indexOf('{'), wire.indexOf('{') + 8);
        ranges.add(wire.indexOf(':'), wire.indexOf("\r\n", wire.indexOf(':')));
        HoldBack holdBack = new HoldBack(200, 0, LIMIT, false);
        assertThat(holdBack.onPayload(buf, ranges)).isNull();
        buf.release();
        assertThat(buf.refCnt()).isZero();
        assertThat(feed(holdBack, "a runner process has terminated\"}\n")).isEqualTo(NEXT_BACKEND);
    }

    private static @Nullable Verdict feed(HoldBack holdBack, String payload) {
        ByteBuf buf = Unpooled.copiedBuffer("??" + payload + "??", StandardCharsets.UTF_8);
        PayloadRanges ranges = new PayloadRanges();
        ranges.add(2, buf.writerIndex() - 2);
        try {
            return holdBack.onPayload(buf, ranges);
        } finally {
            buf.release();
            assertThat(buf.refCnt()).isZero();
        }
    }
}
