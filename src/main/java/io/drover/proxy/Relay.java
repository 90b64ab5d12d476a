package io.drover.proxy;

import io.drover.http.BodyFraming;
import io.drover.http.Field;
import io.drover.http.MessageHead;
import io.drover.metrics.Outcome;
import io.drover.ollama.RetryClass;
import io.drover.ollama.TailRing;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One answer on its way to the client: held back for as long as another backend's may take its place, then written as it
 * comes. Belongs to one exchange, used on its event loop.
 */
final class Relay {
    private final Worker worker;
    private final ClientConnection client;
    private final ClientRequest request;

    private @Nullable TailRing tail;
    private @Nullable ResponseWriter writer;
    private @Nullable HoldBack holdBack;
    private @Nullable Flight flight;
    private BrokenStream ending = BrokenStream.UNTOLD;
    private int status;
    private boolean keptBack;

    Relay(Worker worker, ClientConnection client, ClientRequest request) {
        this.worker = worker;
        this.client = client;
        this.request = request;
    }

    /** Whether an answer has begun that was not dropped. */
    boolean isOn() {
        return writer != null;
    }

    /** Whether anything has gone to the client, after which there is no other answer. */
    boolean isCommitted() {
        return writer != null && writer.isCommitted();
    }

    /** The status of the answer that has begun; 0: none. */
    int status() {
        return status;
    }

    /** What the answer tells of itself; null where it tells nothing. */
    @Nullable
    TailRing tail() {
        return tail;
    }

    /** Whether it is a stream whose clients know of errors in it. */
    BrokenStream ending() {
        return ending;
    }

    /** What writes it; there from the beginning on. */
    ResponseWriter writer() {
        return Objects.requireNonNull(writer);
    }

    /**
     * A backend's answer begins; nothing goes out before {@link #commit}.
     *
     * @param recording records it for others; null: nobody does
     */
    void begin(
            MessageHead head,
            BodyFraming framing,
            Persistence persistence,
            HeadLines lines,
            @Nullable Flight recording) {
        status = head.status();
        flight = recording;
        // A coded body tells nothing of itself.
        boolean telling = request.endpoint().inference() && status == 200 && !head.has(Field.CONTENT_ENCODING);
        tail = telling ? client.scratch().tail() : null;
        ending = BrokenStream.of(request.endpoint(), head);
        writer = new ResponseWriter(worker, client, tail, recording);
        writer.begin(head, framing, request.isToHead(), request.isHttp10(), persistence, lines);
    }

    /** An answer begins that is kept, or another exchange's, and goes to the client. */
    void beginOwn(int code, String contentType, BodyFraming framing, Persistence persistence, HeadLines lines) {
        status = code;
        ending = BrokenStream.of(request.endpoint(), contentType);
        // Where nothing may be added to it nobody asks for its end, but perhaps for that of one that was kept back.
        tail = ending == BrokenStream.UNTOLD ? tail : client.scratch().tail();
        writer = new ResponseWriter(worker, client, tail, null);
        writer.beginOwn(code, contentType, framing, request.isHttp10(), persistence, lines);
        writer.commit();
    }

    /** Holds the answer back until it is known whether it is the one to send; whether there is such a doubt. */
    boolean holdBack(BodyFraming framing, int limit) {
        boolean doubt = HoldBack.concerns(status);
        holdBack = doubt ? new HoldBack(status, framing.length(), limit, request.isCloud()) : null;
        return doubt;
    }

    /** This answer is only recorded, and another is made of it. */
    void keepBack() {
        writer().keepBack();
        keptBack = true;
    }

    boolean isKeptBack() {
        return keptBack;
    }

    /** What was kept back is forgotten, but for what it told of itself. */
    void forget() {
        writer = null;
        keptBack = false;
        if (flight != null) {
            flight.reset();
        }
    }

    /**
     * Adds a part of the body; releases {@code wire}.
     *
     * @return the verdict over an answer that was held back until now; null where there is none
     */
    RetryClass.@Nullable Verdict body(ByteBuf wire, PayloadRanges payload) {
        HoldBack holding = holdBack;
        RetryClass.Verdict verdict = holding == null ? null : holding.onPayload(wire, payload);
        writer().body(wire, payload);
        return verdict;
    }

    /** The verdict over an answer that has ended while it was held back; null where it was not. */
    RetryClass.@Nullable Verdict judge() {
        return holdBack == null ? null : holdBack.judge();
    }

    /** Lets everything go to the client, now and from now on. */
    void commit() {
        holdBack = null;
        writer().commit();
    }

    /** What has come so far should reach the client, and whoever follows. */
    void flush() {
        if (isCommitted()) {
            writer().passHead();
            client.flush();
            if (flight != null) {
                flight.publish();
            }
        }
    }

    /** @param terminated whether the last chunk was among what was passed on */
    void end(boolean terminated) {
        writer().end(terminated);
        if (flight != null) {
            flight.publish();
        }
    }

    /** Whether the client sees the answer's end as the end of its connection only. */
    boolean endsWithConnection() {
        return writer().endsWithConnection();
    }

    /**
     * Takes over what still comes of the backend's answer, which no longer goes to the client by itself; this one is left
     * with what the client has had.
     */
    Relay split() {
        Relay rest = new Relay(worker, client, request);
        TailRing copy = tail == null ? new TailRing() : tail.copy();
        rest.status = status;
        rest.ending = ending;
        rest.flight = flight;
        rest.tail = tail == null ? null : copy;
        rest.writer = writer().split(copy);
        flight = null;
        return rest;
    }

    /** Forgets an answer that was held back; another one may begin. */
    void drop() {
        ResponseWriter dropped = writer;
        writer = null;
        holdBack = null;
        keptBack = false;
        status = 0;
        if (dropped != null) {
            dropped.discard();
        }
    }

    /**
     * Ends an answer that cannot be completed, so that nobody takes it for a whole one.
     *
     * @param atBoundary whether the bytes that were passed on end between two chunks
     * @return whether the client sees an orderly end; else its connection is to be cut
     */
    boolean breakOff(boolean atBoundary, Outcome outcome) {
        TailRing seen = tail;
        boolean told = seen != null && writer().isOpen(atBoundary) && ending.fitsBehind(seen);
        if (told) {
            writer().add(ending.error(request.endpoint(), outcome));
        }
        if (told && ending.isOrderly()) {
            writer().end(false);
            return true;
        }
        writer().passHead();
        return false;
    }

    void release() {
        if (writer != null) {
            writer.release();
        }
    }
}
