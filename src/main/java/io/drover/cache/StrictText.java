package io.drover.cache;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/**
 * Decodes bodies as UTF-8, one after the other, and takes nothing that is not. Jackson's own decoder takes overlong forms
 * and surrogates for what they stand for, where Go does not. Not thread-safe.
 */
final class StrictText {
    /** Almost all bodies are shorter; they are decoded in memory that is there. */
    private static final int SMALL = 16 * 1024;

    private final byte[] bytes = new byte[SMALL];
    private final char[] chars = new char[SMALL];
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();

    /**
     * A parser of a body, which is valid until the next call.
     *
     * @param body read by then, or while the parser is; the caller closes it
     * @throws IOException if it is no UTF-8; the parser throws it too
     */
    JsonParser parse(JsonFactory json, InputStream body) throws IOException {
        int size = body.readNBytes(bytes, 0, SMALL);
        if (size == SMALL) {
            InputStream whole = new SequenceInputStream(new ByteArrayInputStream(bytes), body);
            return json.createParser(new InputStreamReader(whole, StandardCharsets.UTF_8.newDecoder()));
        }
        CharBuffer text = CharBuffer.wrap(chars);
        decoder.reset();
        CoderResult result = decoder.decode(ByteBuffer.wrap(bytes, 0, size), text, true);
        if (result.isError()) {
            result.throwException();
        }
        return json.createParser(chars, 0, text.position());
    }
}
