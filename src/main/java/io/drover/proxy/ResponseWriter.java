package io.drover.proxy;

import io.drover.http.BodyFraming;
import io.drover.http.ChunkWriter;
import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.ollama.AnswerLines;
import io.drover.ollama.TailRing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Writes the response of a backend to the client: the head rewritten, the body as the same buffers where its framing
 * suits the client. Can hold everything back until it is known whether this response is the one to send.
 */
final class ResponseWriter {
    /** How the body goes to the client. */
    private enum Mode {
        /** Each buffer as it came. */
        RAW,
        /** Payload in chunks of our own. */
        RECHUNKED,
        /** Payload alone: its length is known, or the connection's end ends it. */
        BARE
    }

    private final Worker worker;
    private final ClientConnection client;
    private final @Nullable TailRing tail;
    private @Nullable Flight flight;

    private Mode mode = Mode.RAW;
    private BodyFraming framing = BodyFraming.NONE;
    private boolean endsWithConnection;
    private boolean committed;
    private boolean detached;
    /** Whether the body is framed anew from the next chunk on. */
    private boolean framesAnew;
    /** Not yet written, with room for a small body: one write instead of two. */
    private @Nullable ByteBuf head;

    private @Nullable Deque<ByteBuf> held;

    /** Set where the client must never stand within a line. */
    private @Nullable AnswerLines lines;

    /**
     * @param tail gets the payload, for the final record; null where there is none to find
     * @param flight records the payload; null where nobody does
     */
    ResponseWriter(Worker worker, ClientConnection client, @Nullable TailRing tail, @Nullable Flight flight) {
        this.worker = worker;
        this.client = client;
        this.tail = tail;
        this.flight = flight;
    }

    /** Whether anything has gone to the client, after which there is no other response. */
    boolean isCommitted() {
        return committed;
    }

    /** Whether the client will see the body's end as the end of the connection only. */
    boolean endsWithConnection() {
        return endsWithConnection;
    }

    /**
     * Begins a response; nothing goes out before {@link #commit}.
     *
     * @param toHead whether the client asked with HEAD
     * @param http10 whether the client speaks HTTP/1.0 and knows no chunks
     * @param persistence of the client's connection; where the body can only be ended by closing, it ends whatever
     *     this says
     * @param extraLines the header lines that this exchange adds
     */
    void begin(
            MessageHead from,
            BodyFraming body,
            boolean toHead,
            boolean http10,
            Persistence persistence,
            HeadLines extraLines) {
        frame(body, http10);
        HeadWriter writer = worker.headWriter();
        writer.startResponse(from);
        writer.passResponseFields(from, client.scratch().isLimitTold(), extraLines.isCacheTold());
        extraLines.writeTo(writer);
        if (isBusy(from.status()) && !from.has(Field.RETRY_AFTER)) {
            // Ollama's own "server busy" tells no time; SDKs back off by it.
            writer.raw(OwnAnswers.RETRY_AFTER);
        }
        if (body.isNone()) {
            noBody(writer, from, toHead);
        }
        endHead(writer, http10, persistence);
    }

    /**
     * As {@link #begin} for an answer that is not a backend's, or another exchange's.
     *
     * @param contentType of the body; empty: none is told
     */
    void beginOwn(
            int status,
            String contentType,
            BodyFraming body,
            boolean http10,
            Persistence persistence,
            HeadLines extraLines) {
        frame(body, http10);
        if (mode == Mode.RAW) {
            mode = Mode.RECHUNKED;
        }
        HeadWriter writer = worker.headWriter();
        writer.startResponse(status);
        if (!contentType.isEmpty()) {
            writer.field("Content-Type", contentType);
        }
        extraLines.writeTo(writer);
        if (isBusy(status)) {
            writer.raw(OwnAnswers.RETRY_AFTER);
        }
        if (body.isNone() && status != 204) {
            writer.contentLength(0);
        }
        endHead(writer, http10, persistence);
    }

    private static boolean isBusy(int status) {
        return status == 429 || status == 503;
    }

    private void frame(BodyFraming body, boolean http10) {
        framing = body;
        boolean unbounded = body.kind() == BodyFraming.Kind.CHUNKED || body.kind() == BodyFraming.Kind.UNTIL_CLOSE;
        endsWithConnection = unbounded && http10;
        if (body.kind() == BodyFraming.Kind.CHUNKED) {
            mode = http10 ? Mode.BARE : Mode.RAW;
        } else {
            mode = unbounded && !http10 ? Mode.RECHUNKED : Mode.BARE;
        }
    }

    private void endHead(HeadWriter writer, boolean http10, Persistence persistence) {
        boolean length = framing.kind() == BodyFraming.Kind.LENGTH;
        if (length) {
            writer.contentLength(framing.length());
        } else if (!framing.isNone() && !http10) {
            writer.chunked();
        }
        (endsWithConnection ? Persistence.CLOSED : persistence).writeTo(writer);
        boolean inline = framing.length() <= RetainedBody.INLINE_LIMIT;
        head = writer.end(worker.allocator(), inline ? (int) framing.length() : 0);
    }

    /** A response without a body: HEAD and 304 repeat the length that a GET would show, 204 never has one. */
    private static void noBody(HeadWriter writer, MessageHead head, boolean toHead) {
        if (head.status() == 204) {
            return;
        }
        if (toHead || head.status() == 304) {
            long length = BodyFraming.contentLengthOrNone(head);
            if (length >= 0) {
                writer.contentLength(length);
            }
            return;
        }
        writer.contentLength(0);
    }

    /** From here on, before any of the body, it passes in whole lines and chunks of our own. */
    void passWholeLines(AnswerLines through) {
        reframe();
        lines = through;
    }

    /** Nothing of this answer goes to the client: it is only noted. Before any of the body. */
    void keepBack() {
        release();
        detached = true;
    }

    /** Lets everything go to the client, now and from now on. */
    void commit() {
        committed = true;
        if (held != null) {
            passHead();
            for (ByteBuf next : held) {
                client.write(next);
            }
            held = null;
        }
    }

    /** Lets the head go to the client if it has not gone yet, and if anything may. */
    void passHead() {
        ByteBuf waiting = head;
        if (committed && waiting != null) {
            head = null;
            client.write(waiting);
        }
    }

    /** Forgets a response that was held back; another one may begin. */
    void discard() {
        release();
        if (tail != null) {
            tail.clear();
        }
        if (flight != null) {
            flight.reset();
        }
    }

    /** Lets go of what has not been passed on and never will. */
    void release() {
        if (head != null) {
            head.release();
            head = null;
        }
        if (held != null) {
            held.forEach(ByteBuf::release);
            held = null;
        }
    }

    /** Adds a part of the body. Releases {@code wire}. */
    void body(ByteBuf wire, PayloadRanges payload) {
        if (lines != null) {
            wholeLines(lines, wire, payload);
            return;
        }
        for (int i = 0; i < payload.count(); i++) {
            note(wire, payload.from(i), payload.to(i));
        }
        ByteBuf waiting = head;
        if (waiting != null && wire.readableBytes() <= waiting.writableBytes()) {
            waiting.writeBytes(wire);
            wire.release();
            return;
        }
        int first = 0;
        if (mode == Mode.RAW && framesAnew && payload.count() > 1) {
            // Behind the first range a chunk has ended.
            int end = payload.to(0) + ChunkWriter.crlf().readableBytes();
            emit(wire.retainedSlice(wire.readerIndex(), end - wire.readerIndex()));
            reframe();
            first = 1;
        }
        if (mode == Mode.RAW || (mode == Mode.BARE && framing.kind() != BodyFraming.Kind.CHUNKED)) {
            emit(wire);
            return;
        }
        try {
            for (int i = first; i < payload.count(); i++) {
                piece(wire.retainedSlice(payload.from(i), payload.to(i) - payload.from(i)));
            }
        } finally {
            wire.release();
        }
    }

    private void wholeLines(AnswerLines through, ByteBuf wire, PayloadRanges payload) {
        ByteBuf whole = worker.allocate(wire.readableBytes());
        for (int i = 0; i < payload.count(); i++) {
            int at = payload.from(i);
            while (at < payload.to(i)) {
                at = through.read(wire, at, payload.to(i), whole);
            }
        }
        wire.release();
        copied(whole);
    }

    /** Adds payload that is a copy, possibly empty. Releases it. */
    private void copied(ByteBuf payload) {
        if (!payload.isReadable()) {
            payload.release();
            return;
        }
        note(payload, payload.readerIndex(), payload.writerIndex());
        piece(payload);
    }

    private void note(ByteBuf bytes, int from, int to) {
        if (tail != null) {
            tail.append(bytes, from, to - from);
        }
        if (flight != null) {
            flight.append(bytes, from, to);
        }
    }

    /** Adds payload of an answer of {@link #beginOwn}. Releases it. */
    void own(ByteBuf payload) {
        ByteBuf waiting = head;
        if (mode == Mode.BARE && waiting != null && payload.readableBytes() <= waiting.writableBytes()) {
            waiting.writeBytes(payload);
            payload.release();
        } else {
            copied(payload);
        }
    }

    private void piece(ByteBuf payload) {
        if (mode == Mode.BARE) {
            emit(payload);
            return;
        }
        emit(ChunkWriter.sizeLine(worker.allocator(), payload.readableBytes()));
        emit(payload);
        emit(ChunkWriter.crlf());
    }

    /**
     * From the next chunk on the body goes out in chunks of our own, so that at any byte of it something else may go on
     * with it. A backend's chunks may be so large, or so cut, that no read ends between two.
     */
    void frameAnew(boolean atBoundary) {
        framesAnew = true;
        if (atBoundary) {
            reframe();
        }
    }

    /**
     * Whether what the client gets from now on may come from somewhere else than the backend's bytes.
     *
     * @param atBoundary whether the backend's bytes that were passed on end between two chunks
     */
    boolean isSeparable(boolean atBoundary) {
        return mode != Mode.RAW || atBoundary;
    }

    /**
     * Takes the backend's answer from here on, which no longer goes to the client by itself: that gets what is
     * {@linkplain #own added}, if anything.
     *
     * @param rest gets the payload from now on; the tail that there is stays the client's
     */
    ResponseWriter split(TailRing rest) {
        ResponseWriter taking = new ResponseWriter(worker, client, rest, flight);
        taking.committed = true;
        taking.detached = true;
        taking.mode = mode;
        taking.framing = framing;
        taking.lines = lines;
        reframe();
        flight = null;
        lines = null;
        return taking;
    }

    /**
     * Whether the client's framing lets payload of our own follow what it was sent.
     *
     * @param atBoundary whether the backend's bytes that were passed on end between two chunks
     */
    boolean isOpen(boolean atBoundary) {
        return switch (mode) {
            case RAW -> framing.kind() == BodyFraming.Kind.CHUNKED && atBoundary;
            case RECHUNKED -> true;
            case BARE -> endsWithConnection;
        };
    }

    /** Adds payload of our own, as a chunk of its own where there are chunks. The tail does not get it. */
    void add(byte[] payload) {
        piece(Unpooled.wrappedBuffer(payload));
    }

    /** Adds octets of framing; they go out only where the backend's framing does. Releases them. */
    void framing(ByteBuf octets) {
        if (mode == Mode.RAW) {
            emit(octets);
        } else {
            octets.release();
        }
    }

    /** From here on the body must be framed anew; the backend's framing stands at a chunk's end. */
    void reframe() {
        if (mode == Mode.RAW) {
            mode = Mode.RECHUNKED;
        }
    }

    /** @param terminated whether the last chunk was among the raw bytes */
    void end(boolean terminated) {
        if (lines != null) {
            ByteBuf rest = worker.allocate(0);
            lines.writeRest(rest);
            copied(rest);
        }
        if (mode == Mode.RECHUNKED || (mode == Mode.RAW && framing.kind() == BodyFraming.Kind.CHUNKED && !terminated)) {
            emit(ChunkWriter.lastChunk());
        }
        passHead();
    }

    private void emit(ByteBuf bytes) {
        if (detached) {
            bytes.release();
            return;
        }
        if (committed) {
            passHead();
            client.write(bytes);
            return;
        }
        if (held == null) {
            held = new ArrayDeque<>();
        }
        held.add(bytes);
    }
}
