package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.admission.BodyEdit;
import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a kept body costs of the budget for all of them, and that it gives back all of it. */
class RetainedBodyTest {
    private static final int BUDGET = 256 * 1024;
    private static final int READ_BUFFER = 64 * 1024;

    private static final TestWorker WORKER =
            new TestWorker(Map.of("buffers.retained-bodies", "256KiB", "limits.request-body", "256KiB"));

    @AfterAll
    static void close() {
        WORKER.close();
    }

    @AfterEach
    void nothingIsLeftOfTheBudget() {
        assertThat(used()).isZero();
    }

    private static long used() {
        return WORKER.worker().context().retainedBodyBytes();
    }

    private static RetainedBody body(BodyFraming framing) {
        return new RetainedBody(WORKER.worker(), framing, BUDGET, null, null);
    }

    /** Gives the body one read buffer with these octets in it. */
    private static void read(RetainedBody body, String wire, int capacity) throws BadMessageException {
        ByteBuf in = PooledByteBufAllocator.DEFAULT.directBuffer(capacity, capacity);
        in.writeCharSequence(wire, StandardCharsets.US_ASCII);
        try {
            body.read(in);
        } finally {
            in.release();
        }
    }

    @Test
    void aBufferMoreThanHalfFullIsKeptAndCountsWhole() throws BadMessageException {
        RetainedBody body = body(BodyFraming.ofLength(1024));
        read(body, "x".repeat(1024), 2048);
        assertThat(body.isComplete()).isTrue();
        assertThat(used()).isEqualTo(2048);
        body.release();
    }

    @Test
    void aSmallBodyInALargeBufferIsCopied() throws BadMessageException {
        RetainedBody body = body(BodyFraming.ofLength(100));
        read(body, "x".repeat(100), READ_BUFFER);
        assertThat(used()).isEqualTo(1024);
        body.release();
        body.release();
    }

    @Test
    void tinyChunksCostLittleMoreThanTheyHold() throws BadMessageException {
        RetainedBody body = body(BodyFraming.CHUNKED);
        int payload = 60_000;
        for (int i = 0; i < payload / 1000; i++) {
            read(body, "1\r\nx\r\n".repeat(1000), READ_BUFFER);
        }
        read(body, "0\r\n\r\n", READ_BUFFER);
        assertThat(body.isComplete()).isTrue();
        assertThat(body.wireBytes()).isEqualTo(payload * 6L + 5);
        assertThat(used()).isBetween((long) payload, 2L * payload + 1024);
        body.release();
    }

    @Test
    void aKnownLengthThatTricklesInCostsOneBlockAtATime() throws BadMessageException {
        RetainedBody body = body(BodyFraming.ofLength(200_000));
        read(body, "x", READ_BUFFER);
        assertThat(used()).isLessThanOrEqualTo(READ_BUFFER);
        for (int i = 1; i < 200_000; i += 77) {
            read(body, "x".repeat(Math.min(77, 200_000 - i)), READ_BUFFER);
        }
        assertThat(body.isComplete()).isTrue();
        assertThat(used()).isBetween(200_000L, 200_000L + READ_BUFFER);
        body.release();
    }

    @Test
    void itsTextIsReadAndChangedAcrossItsParts() throws Exception {
        RetainedBody body = body(BodyFraming.ofLength(3 * 1024));
        for (String letter : List.of("a", "b", "c")) {
            read(body, letter.repeat(1024), 1024);
        }
        assertThat(body.text(1020, 1028)).isEqualTo("aaaabbbb");
        assertThat(body.text(1023, 2049)).isEqualTo("a" + "b".repeat(1024) + "c");
        assertThat(body.text(5, 5)).isEmpty();

        body.edit(List.of(
                new BodyEdit(0, 0, "start,"),
                new BodyEdit(1, 1023, ""),
                new BodyEdit(1023, 2049, "-"),
                new BodyEdit(3071, 3072, "end")));

        String changed = "start,a-" + "c".repeat(1022) + "end";
        assertThat(body.size()).isEqualTo(changed.length());
        try (InputStream in = body.open()) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.US_ASCII)).isEqualTo(changed);
        }
        assertThat(body.text(0, 8)).isEqualTo("start,a-");
        assertThat(used()).isEqualTo(3 * 1024 + 10);
        body.release();
    }

    @Test
    void overTheBudgetIs503AndTheOthersKeepTheirShare() throws BadMessageException {
        RetainedBody first = body(BodyFraming.ofLength(BUDGET - READ_BUFFER));
        for (int i = 0; i < 3; i++) {
            read(first, "x".repeat(READ_BUFFER), READ_BUFFER);
        }
        long share = used();
        RetainedBody second = body(BodyFraming.ofLength(2 * READ_BUFFER));
        read(second, "x".repeat(READ_BUFFER), READ_BUFFER);
        assertThatThrownBy(() -> read(second, "x".repeat(READ_BUFFER), READ_BUFFER))
                .isInstanceOfSatisfying(
                        BadMessageException.class, e -> assertThat(e.status()).isEqualTo(503));
        assertThat(used()).isEqualTo(share + READ_BUFFER);
        second.release();
        assertThat(used()).isEqualTo(share);
        first.release();
    }

    @Test
    void overTheBudgetWhileGatheringIs503Too() throws BadMessageException {
        RetainedBody first = body(BodyFraming.CHUNKED);
        assertThatThrownBy(() -> {
                    for (int i = 0; i < BUDGET; i++) {
                        read(first, "80\r\n" + "x".repeat(128) + "\r\n", READ_BUFFER);
                    }
                })
                .isInstanceOfSatisfying(
                        BadMessageException.class, e -> assertThat(e.status()).isIn(503, 413));
        assertThat(used()).isLessThanOrEqualTo(BUDGET);
        first.release();
    }

    @Test
    void manyBodiesInAnyPiecesNeverExceedTheBudgetAndGiveAllBack() {
        SplittableRandom random = new SplittableRandom(1);
        int refused = 0;
        for (int i = 0; i < 100; i++) {
            List<RetainedBody> chunked = List.of(body(BodyFraming.CHUNKED), body(BodyFraming.CHUNKED));
            List<RetainedBody> bodies = new ArrayList<>(chunked);
            bodies.add(body(BodyFraming.ofLength(BUDGET)));
            bodies.add(body(BodyFraming.ofLength(BUDGET)));
            for (int step = 0; step < 40 && !bodies.isEmpty(); step++) {
                RetainedBody body = bodies.get(random.nextInt(bodies.size()));
                int size = 1 + random.nextInt(random.nextBoolean() ? 100 : 40_000);
                int capacity = size + 100 + random.nextInt(100_000);
                try {
                    String data = "x".repeat(size);
                    read(
                            body,
                            chunked.contains(body) ? Integer.toHexString(size) + "\r\n" + data + "\r\n" : data,
                            capacity);
                } catch (BadMessageException e) {
                    assertThat(e.status()).isIn(413, 503);
                    refused++;
                    body.release();
                    bodies.remove(body);
                }
                assertThat(used()).isBetween(0L, (long) BUDGET);
            }
            bodies.forEach(RetainedBody::release);
            assertThat(used()).isZero();
        }
        assertThat(refused).isGreaterThan(50);
    }

    /** Text in ASCII may take six times the octets that it had. */
    @Test
    void isReplacedOnlyWhereThereIsMemoryForBoth() throws BadMessageException {
        RetainedBody body = body(BodyFraming.ofLength(100));
        read(body, "x".repeat(100), READ_BUFFER);
        assertThat(body.replace(new BodyEdit(10, 20, "y".repeat(BUDGET)))).isFalse();
        assertThat(body.size()).isEqualTo(100);
        assertThat(used()).isEqualTo(1024);
        assertThat(body.replace(new BodyEdit(10, 20, "y".repeat(1000)))).isTrue();
        assertThat(body.size()).isEqualTo(1090);
        assertThat(used()).isEqualTo(2024);
        body.restore();
        assertThat(body.size()).isEqualTo(100);
        body.release();
    }
}
