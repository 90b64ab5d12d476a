package io.drover.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.http.Messages.Kind;
import io.drover.http.Messages.Reading;
import java.util.List;

/**
 * A message that must be understood, and how.
 *
 * @param fields {@code name=value}, in order
 * @param framing {@code none}, {@code chunked}, {@code until close} or the number of octets
 */
record Accepted(String name, String text, String startLine, List<String> fields, String framing, String body) {

    /** Checks the reading, for every way to cut the message in two, with another message behind it and without. */
    void check(Kind kind) {
        byte[] message = Messages.bytes(text);
        Reading reading = Messages.readEveryWay(kind, message);
        assertThat(reading.isAccepted()).as("%s", reading).isTrue();
        assertThat(reading.startLine()).isEqualTo(startLine);
        assertThat(reading.fields()).isEqualTo(fields);
        assertThat(framing(reading)).isEqualTo(framing);
        assertThat(reading.body()).isEqualTo(body);
        assertThat(reading.consumed()).isEqualTo(message.length);
        if (!framing.equals("until close")) {
            byte[] followed = Messages.bytes(text + "\r\n\0GET / HTTP/1.1");
            assertThat(Messages.readEveryWay(kind, followed)).isEqualTo(reading);
        }
    }

    private static String framing(Reading reading) {
        BodyFraming framing = reading.framing();
        return framing == null
                ? "unknown"
                : switch (framing.kind()) {
                    case NONE -> "none";
                    case CHUNKED -> "chunked";
                    case UNTIL_CLOSE -> "until close";
                    case LENGTH -> Long.toString(framing.length());
                };
    }

    @Override
    public String toString() {
        return name;
    }
}
