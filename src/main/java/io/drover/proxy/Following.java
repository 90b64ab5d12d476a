package io.drover.proxy;

import io.drover.metrics.Outcome;
import io.drover.metrics.Phase;
import io.drover.metrics.Side;
import io.netty.buffer.Unpooled;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Answers one client with what another exchange gets from a backend: what has come so far at once, then as it comes, as
 * fast as this client takes it. Belongs to one exchange, used on its event loop but for {@link #wake}.
 */
final class Following implements Playback, Flight.Follower {
    private final Worker worker;
    private final ClientConnection client;
    private final Exchange exchange;
    private final Flight flight;
    private final AtomicBoolean woken = new AtomicBoolean();

    private @Nullable Relay relay;
    private Flight.@Nullable Block block;
    private int offset;
    private volatile long position;
    private volatile boolean behind;
    private boolean over;

    Following(Worker worker, ClientConnection client, Exchange exchange, Flight flight) {
        this.worker = worker;
        this.client = client;
        this.exchange = exchange;
        this.flight = flight;
    }

    /** Follows from the start, once this has returned; false where it is too late for that. */
    boolean join() {
        block = flight.join(this);
        if (block != null) {
            wake();
        }
        return block != null;
    }

    /**
     * Goes on for the leader's own client, behind what that was sent.
     *
     * @param had what that is
     */
    static Following behind(Worker worker, ClientConnection client, Exchange exchange, Flight flight, Relay had) {
        Following own = new Following(worker, client, exchange, flight);
        own.relay = had;
        own.block = flight.joinBehind(own);
        own.offset = flight.used();
        own.position = flight.recorded();
        return own;
    }

    @Override
    public void wake() {
        if (woken.compareAndSet(false, true)) {
            worker.loop().execute(this::onWake);
        }
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public void giveUp() {
        behind = true;
        wake();
    }

    private void onWake() {
        woken.set(false);
        worker.clock().read();
        write();
    }

    @Override
    public void write() {
        if (over) {
            return;
        }
        // The end first: what was published before it is seen then.
        Flight.End end = flight.end();
        Flight.Head head = flight.head();
        if (relay == null && head != null) {
            relay = exchange.beginFollowing(head);
        }
        if (relay != null) {
            read(relay.writer());
        }
        if (position == flight.published()) {
            behind = false;
        }
        if (behind && relay != null) {
            breakOff(Outcome.failed(
                    relay.status(), Phase.RELAY, Side.CLIENT, "client fell behind an answer that others follow"));
        } else if (end != null && position == flight.published()) {
            end(end);
        } else if (relay != null) {
            relay.flush();
        }
    }

    private void read(ResponseWriter writer) {
        long visible = flight.published();
        long at = position;
        while (at < visible && client.isWritable()) {
            Flight.Block from = Objects.requireNonNull(block);
            if (offset == from.bytes.length) {
                block = from.next;
                offset = 0;
                continue;
            }
            int size = (int) Math.min(from.bytes.length - offset, visible - at);
            writer.own(Unpooled.wrappedBuffer(from.bytes, offset, size));
            offset += size;
            at += size;
        }
        if (position != at) {
            position = at;
            behind = false; // It takes what there is, which was much at once.
            flight.onRead();
        }
    }

    private void end(Flight.End end) {
        switch (end.kind()) {
            case COMPLETE -> {
                Relay told = Objects.requireNonNull(relay);
                told.end(false);
                exchange.onPlayed(told);
            }
            case BROKEN -> breakOff(Objects.requireNonNull(end.outcome()));
            case FAILED -> exchange.onFlightFailed(Objects.requireNonNull(end.outcome()));
            case KEPT -> exchange.onKept(Objects.requireNonNull(end.answer()));
            case DISSOLVED -> exchange.onFlightDissolved();
        }
    }

    @Override
    public void breakOff(Outcome outcome) {
        exchange.onPlaybackBroken(Objects.requireNonNull(relay), outcome);
    }

    @Override
    public void close() {
        over = true;
        flight.leave(this);
        if (relay != null) {
            relay.release();
        }
    }
}
