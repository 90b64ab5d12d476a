package io.drover.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.http.Messages.Kind;
import io.drover.http.Messages.Reading;
import java.util.Arrays;

/**
 * A message that must be refused.
 *
 * @param name what is wrong with it
 * @param status it is refused with
 * @param text of it, a caret (U+2038) standing before the octet that makes it wrong: not earlier and not later is it
 *     refused
 */
record Rejected(String name, int status, String text) {
    private static final char CARET = '‸';

    /** The message without its caret. */
    byte[] message() {
        return Messages.bytes(text.replace(String.valueOf(CARET), ""));
    }

    /** Checks verdict and place, for every way to cut the message in two. */
    void check(Kind kind) {
        int offending = text.indexOf(CARET);
        assertThat(offending).as("caret in %s", text).isNotNegative();
        byte[] message = message();
        Reading reading = Messages.readEveryWay(kind, message);
        assertThat(reading.error()).as("%s", reading).isEqualTo(status);
        assertThat(reading.why()).isNotBlank().doesNotContain("\r", "\n");
        byte[] valid = prefix(message, offending);
        assertThat(Messages.read(kind, valid)).as("before the caret").satisfies(before -> {
            assertThat(before.error()).as("%s", before.why()).isZero();
            assertThat(before.complete()).isFalse();
        });
        assertThat(Messages.readEveryWay(kind, prefix(message, offending + 1)))
                .as("up to the caret")
                .isEqualTo(reading);
    }

    private static byte[] prefix(byte[] message, int length) {
        return Arrays.copyOf(message, length);
    }

    @Override
    public String toString() {
        return name;
    }
}
