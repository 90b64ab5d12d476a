package io.drover.upstream;

import io.drover.tls.TlsFailure;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The wait for TLS on a connection to a backend that has just been made. Belongs to one event loop. */
final class Handshake {
    private static final Logger LOG = LoggerFactory.getLogger(Handshake.class);

    private boolean late;

    private Handshake() {}

    /**
     * @param wire of the connection
     * @param withinNanos what the connect has left of its time
     * @param then is told once, on the loop; null: it is done
     */
    static void await(Channel channel, Wire wire, long withinNanos, Consumer<@Nullable TlsFailure> then) {
        new Handshake().begin(channel, wire, withinNanos, then);
    }

    private void begin(Channel channel, Wire wire, long withinNanos, Consumer<@Nullable TlsFailure> then) {
        var deadline = channel.eventLoop()
                .schedule(
                        () -> {
                            late = true;
                            wire.close();
                        },
                        withinNanos,
                        TimeUnit.NANOSECONDS);
        channel.pipeline().get(SslHandler.class).handshakeFuture().addListener(done -> {
            deadline.cancel(false);
            if (done.isSuccess()) {
                then.accept(null);
                return;
            }
            LOG.debug("no TLS with {}", channel.remoteAddress(), done.cause());
            then.accept(late ? TlsFailure.TIMED_OUT : TlsFailure.of(done.cause()));
        });
    }
}
