package io.drover.proxy;

import io.drover.http.BadMessageException;
import io.drover.http.HeadParser;
import io.drover.http.MessageHead;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/** Heads of requests for tests. */
final class Heads {
    private Heads() {}

    /** A GET with these header lines. */
    static MessageHead of(String... lines) {
        MessageHead head = new MessageHead();
        HeadParser parser = HeadParser.ofRequests(32 * 1024, 128);
        String text = "GET / HTTP/1.1\r\n" + String.join("\r\n", lines) + (lines.length == 0 ? "" : "\r\n") + "\r\n";
        ByteBuf in = Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
        parser.reset(head);
        try {
            if (!parser.parse(in, head)) {
                throw new AssertionError("no whole head: " + text);
            }
            return head;
        } catch (BadMessageException e) {
            throw new AssertionError(text, e);
        } finally {
            in.release();
        }
    }
}
