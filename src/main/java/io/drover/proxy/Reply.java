package io.drover.proxy;

import io.drover.http.HeadWriter;
import io.drover.ollama.ErrorReplies;

/**
 * A response of Drover's own.
 *
 * @param status of the response
 * @param lines complete header lines
 * @param body may be empty
 */
record Reply(int status, byte[] lines, byte[] body) {
    private static final byte[] JSON = HeadWriter.line("Content-Type", ErrorReplies.CONTENT_TYPE);
    private static final byte[] NONE = {};

    static Reply json(int status, byte[] body) {
        return new Reply(status, JSON, body);
    }

    static Reply empty(int status, byte[] lines) {
        return new Reply(status, lines, NONE);
    }

    static Reply empty(int status) {
        return new Reply(status, NONE, NONE);
    }

    /** The same with a further header line. */
    Reply with(byte[] line) {
        byte[] joined = new byte[lines.length + line.length];
        System.arraycopy(lines, 0, joined, 0, lines.length);
        System.arraycopy(line, 0, joined, lines.length, line.length);
        return new Reply(status, joined, body);
    }

    /**
     * Writes it without flushing.
     *
     * @param toHead whether the client asked with HEAD and gets no body
     */
    void writeTo(ClientConnection client, Worker worker, HeadLines extra, boolean toHead, Persistence persistence) {
        HeadWriter writer = worker.headWriter();
        writer.startResponse(status);
        writer.raw(lines);
        extra.writeTo(writer);
        if (status != 204) {
            writer.contentLength(body.length);
        }
        persistence.writeTo(writer);
        var out = writer.end(worker.allocator(), body.length);
        if (!toHead) {
            out.writeBytes(body);
        }
        client.write(out);
    }
}
