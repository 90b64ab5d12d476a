package io.drover.proxy;

import io.drover.http.BadMessageException;
import io.drover.http.HeadWriter;
import io.drover.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;

/** The body of a request on its way from the client to a backend. Belongs to one event loop. */
interface RequestBody {
    /**
     * Takes the body's bytes from {@code in}, as many as it has room for.
     *
     * @throws BadMessageException with the status the client is to be told
     */
    void read(ByteBuf in) throws BadMessageException;

    /** Whether the last byte was read from the client. */
    boolean isComplete();

    /** Whether it has room for more bytes now. */
    boolean hasRoom();

    /** Bytes read from the client, framing included. */
    long wireBytes();

    /** Whether the whole of it can be sent (again) from its first byte on. */
    boolean isReplayable();

    /** Adds the header field that frames the body as it will be sent. */
    void frame(HeadWriter writer);

    /**
     * Writes and flushes the head and what is there of the body, and goes on with the rest as it is read.
     *
     * @param head the request's head; released
     */
    void send(ByteBuf head, UpstreamConnection to);

    /** Stops sending; what is still read is thrown away. */
    void stop();

    /** Gives back all memory. Idempotent. */
    void release();
}
