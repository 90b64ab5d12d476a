package io.drover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.drover.http.Messages.Kind;
import io.drover.http.Messages.Reading;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds what {@link HeadParser} promises: whatever is accepted here, Netty's decoder accepts too, with the same method,
 * target or status, fields and body, and an end at the same octet. Two readers that disagree are how requests are
 * smuggled.
 */
class NettyDifferentialTest {
    private static final int MESSAGES = 60_000;

    /** Fewer than this accepted, and the test would prove little. */
    private static final int ENOUGH = MESSAGES / 20;

    @ParameterizedTest
    @CsvSource({"REQUEST, 1", "REQUEST, 2", "RESPONSE, 3", "RESPONSE, 4"})
    void whatWeAcceptNettyAcceptsAlike(Kind kind, long seed) {
        Mutations mutations = new Mutations(kind, seed);
        SplittableRandom random = new SplittableRandom(seed);
        int accepted = 0;
        for (int i = 0; i < MESSAGES; i++) {
            byte[] message = mutations.next();
            Reading whole = Messages.read(kind, message);
            int cut = random.nextInt(message.length + 1);
            int second = cut + random.nextInt(message.length - cut + 1);
            assertThat(Messages.read(kind, message, cut, second))
                    .as("%s cut at %d and %d", quote(message), cut, second)
                    .isEqualTo(whole);
            if (whole.isAccepted() && !isInterim(kind, whole)) {
                accepted++;
                compare(kind, message, whole);
            }
        }
        assertThat(accepted).isGreaterThan(ENOUGH);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void theVectorsWeAccept(Kind kind, Accepted vector) {
        byte[] message = Messages.bytes(vector.text());
        compare(kind, message, Messages.read(kind, message));
    }

    static Stream<Object[]> theVectorsWeAccept() {
        return Stream.concat(
                RequestVectorsTest.accepted().map(vector -> new Object[] {Kind.REQUEST, vector}),
                ResponseVectorsTest.accepted().map(vector -> new Object[] {Kind.RESPONSE, vector}));
    }

    /** A 1xx response is dropped whole, so its fields are not judged; Netty does judge its Content-Length. */
    private static boolean isInterim(Kind kind, Reading reading) {
        return kind == Kind.RESPONSE && String.valueOf(reading.startLine()).startsWith(" 1", 3);
    }

    private static void compare(Kind kind, byte[] message, Reading ours) {
        String shown = quote(message) + " which we read as " + ours;
        NettyReader netty = new NettyReader(kind);
        try {
            boolean untilClose = BodyFraming.UNTIL_CLOSE.equals(ours.framing());
            int end = ours.consumed();
            if (untilClose) {
                netty.read(message, 0, end);
                assertThat(netty.isAtEnd())
                        .as("Netty ends before the connection: %s", shown)
                        .isFalse();
            } else {
                netty.read(message, 0, end - 1);
                assertThat(netty.isAtEnd()).as("Netty ends early: %s", shown).isFalse();
                netty.read(message, end - 1, end);
            }
            if (!untilClose && !netty.isAtEnd() && netty.failure() == null) {
                fail("Netty waits for more: %s", shown);
            }
            netty.end();
            assertThat(netty.failure()).as("Netty refuses %s", shown).isNull();
            assertThat(netty.isOneMessage())
                    .as("Netty does not read one message: %s", shown)
                    .isTrue();
            assertThat(ours.startLine()).as(shown).startsWith(netty.startLine());
            assertThat(comparable(kind, ours, netty.fields()))
                    .as(shown)
                    .isEqualTo(comparable(kind, ours, ours.fields()));
            assertThat(netty.body()).as(shown).isEqualTo(ours.body());
        } finally {
            netty.end();
        }
    }

    /**
     * The fields to compare. Where a response has no body whatever it announces (204, 304), Netty takes
     * Transfer-Encoding away or rewrites it; we ignore it there and never pass it on.
     */
    private static List<String> comparable(Kind kind, Reading reading, List<String> fields) {
        if (kind == Kind.REQUEST || !BodyFraming.NONE.equals(reading.framing())) {
            return fields;
        }
        return fields.stream()
                .filter(field -> !field.toLowerCase(Locale.ROOT).startsWith("transfer-encoding="))
                .toList();
    }

    private static String quote(byte[] message) {
        StringBuilder text = new StringBuilder();
        for (byte b : message) {
            int c = b & 0xff;
            if (c == '\r') {
                text.append("\\r");
            } else if (c == '\n') {
                text.append("\\n");
            } else if (c < 0x20 || c >= 0x7f) {
                text.append(String.format("\\x%02x", c));
            } else {
                text.append((char) c);
            }
        }
        return text.toString();
    }
}
