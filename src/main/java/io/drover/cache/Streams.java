package io.drover.cache;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Takes the bytes of a whole stream apart: lines of NDJSON, and server-sent events. */
final class Streams {
    private static final byte[] DATA = {'d', 'a', 't', 'a'};
    private static final String DONE = "[DONE]";

    private Streams() {}

    /**
     * The lines of NDJSON.
     *
     * @throws UnfitAnswerException if there is none, or one without an object
     */
    static List<Members> lines(byte[] body) throws UnfitAnswerException {
        List<Members> lines = new ArrayList<>();
        int from = 0;
        while (from < body.length) {
            int end = from;
            while (end < body.length && body[end] != '\n') {
                end++;
            }
            lines.add(JsonText.members(new Slice(body, from, end)));
            from = end + 1;
        }
        if (lines.isEmpty()) {
            throw new UnfitAnswerException("no line");
        }
        return lines;
    }

    /**
     * What server-sent events carry, up to OpenAI's {@code [DONE]}.
     *
     * @throws UnfitAnswerException if the last event is cut, or the {@code [DONE]} is not where it should be
     */
    static List<Members> events(byte[] body, boolean endsWithDone) throws UnfitAnswerException {
        List<Slice> data = new EventReader(body).read();
        List<Members> events = new ArrayList<>(data.size());
        int last = data.size() - 1;
        if (last < 0 || data.get(last).toString().strip().equals(DONE) != endsWithDone) {
            throw new UnfitAnswerException("another end of events (expected: the API's own)");
        }
        for (Slice event : endsWithDone ? data.subList(0, last) : data) {
            events.add(JsonText.members(event));
        }
        if (events.isEmpty()) {
            throw new UnfitAnswerException("no event");
        }
        return events;
    }

    /** Reads fields as the HTML standard, section 9.2.6, has it; only {@code data} counts here. */
    private static final class EventReader {
        private final List<Slice> events = new ArrayList<>();
        private final byte[] body;
        /** The bytes that slices refer to: a copy where an event's data has several lines. */
        private byte[] text;

        private int from = -1;
        private int to;

        EventReader(byte[] body) {
            this.body = body;
            this.text = body;
        }

        List<Slice> read() throws UnfitAnswerException {
            int at = 0;
            while (at < body.length) {
                int end = at;
                while (end < body.length && body[end] != '\n' && body[end] != '\r') {
                    end++;
                }
                if (end == at) {
                    endEvent();
                } else {
                    field(at, end);
                }
                boolean both = end + 1 < body.length && body[end] == '\r' && body[end + 1] == '\n';
                at = end + (both ? 2 : 1);
            }
            if (from >= 0) {
                throw new UnfitAnswerException("an event without an end");
            }
            return events;
        }

        private void field(int start, int end) {
            int colon = start;
            while (colon < end && body[colon] != ':') {
                colon++;
            }
            if (!Arrays.equals(body, start, colon, DATA, 0, DATA.length)) {
                return;
            }
            int value = Math.min(end, colon + 1);
            if (value < end && body[value] == ' ') {
                value++;
            }
            if (from < 0) {
                from = value;
            } else {
                join(value);
            }
            to = end;
        }

        /** Blanks what is not data between two lines of it, but for their ends, which a JSON string cannot have in it. */
        private void join(int next) {
            if (text == body) {
                text = body.clone();
            }
            for (int i = to; i < next; i++) {
                if (text[i] != '\n' && text[i] != '\r') {
                    text[i] = ' ';
                }
            }
        }

        private void endEvent() {
            if (from >= 0) {
                events.add(new Slice(text, from, to));
                from = -1;
            }
        }
    }
}
