package io.drover.testing;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads HTTP/1 messages off a stream with nothing but the rules, so that it shares no mistake with what it tests. */
final class RawMessage {
    private final InputStream in;

    RawMessage(InputStream in) {
        this.in = in;
    }

    /**
     * A head as it came.
     *
     * @param startLine without its line end
     * @param fields as they came, without their line ends
     */
    record Head(String startLine, List<String> fields) {
        List<String> all(String name) {
            List<String> values = new ArrayList<>();
            for (String field : fields) {
                int colon = field.indexOf(':');
                if (colon == name.length() && field.regionMatches(true, 0, name, 0, colon)) {
                    values.add(field.substring(colon + 1).trim());
                }
            }
            return values;
        }

        Optional<String> first(String name) {
            return all(name).stream().findFirst();
        }

        boolean isChunked() {
            return first("Transfer-Encoding")
                    .filter("chunked"::equalsIgnoreCase)
                    .isPresent();
        }
    }

    /** Reads up to and with the empty line; at once an end of stream is an {@link EOFException}. */
    Head readHead() throws IOException {
        String startLine = readLine();
        List<String> fields = new ArrayList<>();
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            fields.add(line);
        }
        return new Head(startLine, fields);
    }

    /** A line without its CR LF. */
    String readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("the stream ended after \"" + line.toString(StandardCharsets.ISO_8859_1) + "\"");
            }
            line.write(b);
        }
        String text = line.toString(StandardCharsets.ISO_8859_1);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    byte[] readExactly(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("the stream ended after " + bytes.length + " of " + length + " bytes");
        }
        return bytes;
    }

    /** One chunk's data; empty for the last chunk, whose trailers and final empty line are read too. */
    byte[] readChunk(List<String> trailers) throws IOException {
        String size = readLine();
        int end = size.indexOf(';');
        int length = Integer.parseInt((end < 0 ? size : size.substring(0, end)).trim(), 16);
        if (length > 0) {
            byte[] data = readExactly(length);
            String rest = readLine();
            if (!rest.isEmpty()) {
                throw new IOException("after a chunk: \"" + rest + "\" (expected: an empty line)");
            }
            return data;
        }
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            trailers.add(line);
        }
        return new byte[0];
    }

    /** A whole chunked body, without its framing. */
    byte[] readChunked() throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        List<String> trailers = new ArrayList<>();
        for (byte[] chunk = readChunk(trailers); chunk.length > 0; chunk = readChunk(trailers)) {
            body.writeBytes(chunk);
        }
        return body.toByteArray();
    }
}
