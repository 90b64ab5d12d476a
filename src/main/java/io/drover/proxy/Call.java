package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.backend.Slot;
import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.drover.http.HeadParser;
import io.drover.http.MessageHead;
import io.drover.upstream.ConnectFailure;
import io.drover.upstream.ConnectionReuse;
import io.drover.upstream.UpstreamConnection;
import io.drover.upstream.UpstreamListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One try on one backend: connects, reads the response, proves its framing and hands it to its {@link ResponseSink}.
 * Holds the slot and the connection until {@link #release} or {@link #cancel}; one of the two ends every call.
 *
 * <p>Belongs to one event loop.
 */
final class Call implements UpstreamListener, ChunkedFraming.Payload {
    /** A backend that sends more 1xx responses than this before its answer is broken. */
    private static final int MAX_INFORMATIONAL = 32;

    /** Longest run of unproven bytes worth passing on: a size line with 15 digits and the end of the body. */
    private static final int MAX_HELD = 32;

    private enum State {
        CONNECTING,
        /** The request may still be on its way out; no final response head was seen. */
        AWAIT_HEAD,
        BODY,
        /** The response is complete; the connection is still held. */
        COMPLETE,
        ENDED
    }

    private final Worker worker;
    private final Slot slot;
    private final ResponseSink sink;
    private final boolean toHead;

    private State state = State.CONNECTING;
    private @Nullable UpstreamConnection connection;
    private BodyFraming framing = BodyFraming.NONE;
    private @Nullable ChunkedFraming chunks; // set for a chunked response
    private final byte[] held = new byte[MAX_HELD];
    private int heldCount;
    private boolean atBoundary = true;
    private long remaining;
    private int informational;
    private boolean anyByte;
    private boolean reused;
    private boolean surplus;
    private boolean close;
    private boolean requestComplete;
    private long lastReadNanos;

    /** @param toHead whether the request is a HEAD, whose response has no body */
    Call(Worker worker, Slot slot, ResponseSink sink, boolean toHead) {
        this.worker = worker;
        this.slot = slot;
        this.sink = sink;
        this.toHead = toHead;
    }

    /** Gets a connection; the sink hears what came of it, possibly before this returns. */
    void start(boolean fresh) {
        worker.pool(slot.backend()).acquire(this, fresh);
    }

    Backend backend() {
        return slot.backend();
    }

    @Nullable
    UpstreamConnection connection() {
        return connection;
    }

    /** Whether the connection had served another request before. */
    boolean wasReused() {
        return reused;
    }

    /** Whether any byte of a response came. */
    boolean isAnswered() {
        return anyByte;
    }

    /** Whether the bytes of a chunked body that the sink has got end between two chunks. */
    boolean isAtBoundary() {
        return atBoundary;
    }

    /** When bytes last came from the backend. */
    long lastReadNanos() {
        return lastReadNanos;
    }

    /** Silence before {@code nowNanos} is not the backend's: it was not read. */
    void touch(long nowNanos) {
        lastReadNanos = nowNanos;
    }

    /** Every byte of the request was handed to the connection. */
    void onRequestComplete() {
        requestComplete = true;
    }

    /** Ends a call whose response is complete; the connection goes back to its pool if it is clean. */
    void release() {
        UpstreamConnection used = connection;
        boolean complete = state == State.COMPLETE && framing.kind() != BodyFraming.Kind.UNTIL_CLOSE;
        state = State.ENDED;
        connection = null;
        if (used != null) {
            used.release(ConnectionReuse.decide(complete, requestComplete, surplus, close, worker.isDraining()));
        }
        slot.release();
    }

    /** Ends the call at once by closing its connection, which is how a backend learns to stop. */
    void cancel() {
        UpstreamConnection used = connection;
        boolean waiting = state == State.CONNECTING;
        state = State.ENDED;
        connection = null;
        if (used != null) {
            used.close();
        } else if (waiting) {
            worker.pool(slot.backend()).cancel(this);
        }
        slot.release();
    }

    @Override
    public void onConnected(UpstreamConnection connected) {
        if (state != State.CONNECTING) {
            // The client left while it was being made: the next one may have it.
            connected.release(true);
            return;
        }
        connection = connected;
        reused = connected.isReused();
        lastReadNanos = reused ? worker.clock().now() : worker.clock().read();
        state = State.AWAIT_HEAD;
        connected.headParser().reset(connected.head());
        sink.onConnected(connected);
    }

    @Override
    public void onConnectFailed(ConnectFailure failure) {
        if (state != State.CONNECTING) {
            return;
        }
        worker.clock().read();
        fail(
                switch (failure) {
                    case REFUSED -> CallFailure.REFUSED;
                    case TIMED_OUT -> CallFailure.CONNECT_TIMED_OUT;
                    case UNRESOLVED -> CallFailure.UNRESOLVED;
                    case NO_SOCKET -> CallFailure.NO_SOCKET;
                    case FAILED -> CallFailure.CONNECT_FAILED;
                    case CERTIFICATE_EXPIRED -> CallFailure.CERTIFICATE_EXPIRED;
                    case CERTIFICATE_NOT_YET_VALID -> CallFailure.CERTIFICATE_NOT_YET_VALID;
                    case CERTIFICATE_UNTRUSTED -> CallFailure.CERTIFICATE_UNTRUSTED;
                    case CERTIFICATE_OF_ANOTHER -> CallFailure.CERTIFICATE_OF_ANOTHER;
                    case NO_TLS -> CallFailure.NO_TLS;
                    case TLS_TIMED_OUT -> CallFailure.TLS_TIMED_OUT;
                    case TLS_FAILED -> CallFailure.TLS_FAILED;
                });
    }

    @Override
    public void onRead(ByteBuf bytes) {
        long now = worker.clock().read();
        if (state == State.BODY && now - lastReadNanos >= worker.stallNanos()) {
            worker.context().metrics().onStreamStall();
        }
        lastReadNanos = now;
        anyByte = true;
        try {
            if (state == State.AWAIT_HEAD) {
                head(bytes);
            } else if (state == State.BODY) {
                body(bytes);
            } else {
                surplus = true;
                bytes.release();
            }
        } catch (BadMessageException e) {
            fail(CallFailure.MALFORMED);
        }
    }

    @Override
    public void onReadComplete() {
        sink.onReadComplete();
    }

    @Override
    public void onWritabilityChanged() {
        worker.clock().read();
        sink.onUpstreamWritability();
    }

    @Override
    public void onClosed(boolean reset) {
        worker.clock().read();
        connection = null;
        if (state == State.AWAIT_HEAD) {
            fail(reset ? CallFailure.RESET : CallFailure.CLOSED);
        } else if (state == State.BODY && framing.kind() == BodyFraming.Kind.UNTIL_CLOSE && !reset) {
            complete();
        } else if (state == State.BODY) {
            fail(CallFailure.TRUNCATED);
        }
    }

    /** The time to connect is over. */
    void onConnectDeadline() {
        boolean waiting =
                state == State.CONNECTING && worker.pool(slot.backend()).cancel(this);
        fail(waiting ? CallFailure.NO_TURN : CallFailure.CONNECT_TIMED_OUT);
    }

    /** Ends the call with a failure; the sink is told. */
    void fail(CallFailure failure) {
        if (state != State.ENDED) {
            cancel();
            sink.onFailure(failure);
        }
    }

    private void head(ByteBuf bytes) throws BadMessageException {
        UpstreamConnection from = connection;
        if (from == null) {
            bytes.release();
            return;
        }
        MessageHead head = from.head();
        HeadParser parser = from.headParser();
        try {
            while (parser.parse(bytes, head)) {
                if (head.status() >= 200) {
                    finalHead(head, bytes.isReadable() ? bytes.retain() : Unpooled.EMPTY_BUFFER);
                    return;
                }
                if (head.status() == 101 || ++informational > MAX_INFORMATIONAL) {
                    // An upgrade was never asked for: the field is not passed on (reliability: CVE-2026-2833).
                    throw BadMessageException.badRequest("unexpected 1xx");
                }
                BodyFraming.ofResponse(head, true);
                boolean goOn = head.status() == 100;
                parser.reset(head);
                if (goOn) {
                    sink.onContinue();
                }
            }
        } finally {
            bytes.release();
        }
    }

    private void finalHead(MessageHead head, ByteBuf rest) throws BadMessageException {
        try {
            framing = BodyFraming.ofResponse(head, toHead);
        } catch (BadMessageException e) {
            rest.release();
            throw e;
        }
        close = head.connectionLists(MessageHead.CLOSE)
                || (head.minorVersion() == 0 && !head.connectionLists(MessageHead.KEEP_ALIVE));
        remaining = framing.length();
        if (framing.kind() == BodyFraming.Kind.CHUNKED) {
            chunks = worker.newChunkedFraming(true);
        }
        state = State.BODY;
        sink.onHead(head, framing);
        if (state != State.BODY) {
            rest.release();
        } else if (framing.kind() == BodyFraming.Kind.NONE) {
            surplus = rest.isReadable();
            rest.release();
            complete();
        } else if (rest.isReadable()) {
            body(rest);
        } else {
            rest.release();
        }
    }

    private void body(ByteBuf bytes) throws BadMessageException {
        switch (framing.kind()) {
            case CHUNKED -> chunked(bytes);
            case LENGTH -> {
                int size = (int) Math.min(remaining, bytes.readableBytes());
                surplus = size < bytes.readableBytes();
                bytes.writerIndex(bytes.readerIndex() + size);
                remaining -= size;
                deliver(bytes);
                if (remaining == 0 && state == State.BODY) {
                    complete();
                }
            }
            case UNTIL_CLOSE -> deliver(bytes);
            case NONE -> {
                surplus = true;
                bytes.release();
            }
        }
    }

    private void deliver(ByteBuf bytes) {
        PayloadRanges ranges = worker.ranges();
        ranges.clear();
        ranges.add(bytes.readerIndex(), bytes.writerIndex());
        sink.onBody(bytes, ranges);
    }

    /** Passes on what is proven, holds back what is not (architecture: a false terminator must never be forwarded). */
    private void chunked(ByteBuf bytes) throws BadMessageException {
        ChunkedFraming scanner = Objects.requireNonNull(chunks);
        PayloadRanges ranges = worker.ranges();
        ranges.clear();
        boolean passing = scanner.isPassThrough();
        int scanned;
        try {
            scanned = scanner.scan(bytes, this);
        } catch (BadMessageException e) {
            bytes.release();
            throw e;
        }
        // Not asked for later: a scan that fails passes nothing on, but leaves the scanner where it failed.
        atBoundary = scanner.isAtBoundary();
        int end = bytes.writerIndex();
        if (passing) {
            int proven = scanner.proven();
            boolean stillPassing = scanner.isPassThrough();
            ByteBuf rest = stillPassing ? null : bytes.retainedSlice(scanned, end - scanned);
            forward(bytes, proven, stillPassing ? scanned : proven, ranges);
            if (rest != null) {
                // What was just passed on may have ended the call: an error that another backend gets a try for.
                if (state == State.BODY) {
                    sink.onReframe();
                    chunked(rest);
                } else {
                    rest.release();
                }
                return;
            }
        } else {
            sink.onBody(bytes, ranges);
        }
        if (scanner.isDone() && state == State.BODY) {
            surplus = scanned < end;
            complete();
        }
    }

    /** Sends what was held before, then the proven part of {@code bytes}; holds the part up to {@code scanned}. */
    private void forward(ByteBuf bytes, int proven, int scanned, PayloadRanges ranges) {
        boolean progress = proven > bytes.readerIndex();
        ByteBuf before = null;
        if (progress && heldCount > 0) {
            before = worker.allocate(heldCount).writeBytes(held, 0, heldCount);
            heldCount = 0;
        }
        int unproven = scanned - proven;
        if (unproven > 0 && heldCount + unproven <= MAX_HELD) {
            bytes.getBytes(proven, held, heldCount, unproven);
            heldCount += unproven;
        }
        bytes.writerIndex(proven);
        if (before != null) {
            sink.onFraming(before);
        }
        if (progress && state == State.BODY) {
            sink.onBody(bytes, ranges);
        } else {
            bytes.release();
        }
    }

    @Override
    public void onPayload(ByteBuf bytes, int from, int to) {
        worker.ranges().add(from, to);
    }

    private void complete() {
        state = State.COMPLETE;
        sink.onEnd(chunks != null && chunks.isPassThrough() && !chunks.hasTrailer());
    }
}
