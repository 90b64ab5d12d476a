package io.drover.proxy;

import io.drover.cache.CachedAnswer;
import io.drover.cache.Form;
import io.drover.cache.Rendering;
import io.drover.http.BodyFraming;
import io.drover.metrics.Outcome;
import io.netty.buffer.ByteBuf;

/** Answers one client with what was kept. Belongs to one exchange, used on its event loop. */
final class Replay implements Playback {
    private static final int PIECE = 64 * 1024;

    private final Worker worker;
    private final ClientConnection client;
    private final Exchange exchange;
    private final Form form;
    private final Rendering rendering;
    private final Relay relay;
    private long left;

    /** @param relay has not begun */
    Replay(Worker worker, ClientConnection client, Exchange exchange, Relay relay, CachedAnswer answer) {
        this.worker = worker;
        this.client = client;
        this.exchange = exchange;
        this.form = answer.form();
        this.relay = relay;
        this.rendering = answer.rendering(worker.clock().wallMillis(), worker.random());
        this.left = rendering.length();
    }

    /** How the body is framed: as a backend would. */
    BodyFraming framing() {
        return form == Form.WHOLE ? BodyFraming.ofLength(rendering.length()) : BodyFraming.CHUNKED;
    }

    @Override
    public void write() {
        while (left > 0 && client.isWritable()) {
            int size = (int) Math.min(PIECE, left);
            ByteBuf piece = worker.allocate(size);
            rendering.writeTo(piece);
            left -= piece.readableBytes();
            relay.writer().own(piece);
        }
        if (left == 0) {
            relay.end(false);
            exchange.onPlayed(relay);
        } else {
            relay.flush();
        }
    }

    @Override
    public void breakOff(Outcome outcome) {
        exchange.onPlaybackBroken(relay, outcome);
    }

    @Override
    public void close() {
        // It holds nothing.
    }
}
