package io.drover.upstream;

import io.drover.backend.Backend;
import io.drover.metrics.ConnectResult;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ConnectTimeoutException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one event loop to one backend. Unused ones are kept last in, first out, so that what is not needed
 * ages out; every one stays on its loop, so nothing here is shared.
 */
public final class UpstreamPool {
    private final Backend backend;
    private UpstreamSettings settings;
    private final Bootstrap bootstrap;
    private final Deque<UpstreamConnection> idle = new ArrayDeque<>();
    private final Deque<UpstreamListener> waiting = new ArrayDeque<>();
    private final Deque<UpstreamListener> waitingForFresh = new ArrayDeque<>();
    /** When {@link #expire} was last called: near enough for an idle time, and no clock is read for it. */
    private long lookedNanos = System.nanoTime();

    private List<InetSocketAddress> known = List.of();
    private int connecting;
    private boolean serving;

    /** @param bootstrap with the loop and the transport set; the pool adds handlers and connects */
    public UpstreamPool(Backend backend, UpstreamSettings settings, Bootstrap bootstrap) {
        this.backend = backend;
        this.settings = settings;
        this.bootstrap = bootstrap;
    }

    public Backend backend() {
        return backend;
    }

    /**
     * Gives the listener a connection: at once where an unused one is there and {@code fresh} is not asked for, else
     * when one is made. At most {@code upstream.max-connecting} are being made at a time; further listeners wait.
     */
    public void acquire(UpstreamListener listener, boolean fresh) {
        UpstreamConnection connection = fresh ? null : pollUsable();
        if (connection != null) {
            connection.lend(listener);
            listener.onConnected(connection);
        } else if (connecting >= settings.maxConnecting()) {
            (fresh ? waitingForFresh : waiting).add(listener);
        } else {
            connect(listener);
        }
    }

    /** One that is known to have ended may still be here: its end is told only after this turn of the loop. */
    private @Nullable UpstreamConnection pollUsable() {
        UpstreamConnection connection = idle.pollLast();
        while (connection != null && !connection.isUsable()) {
            connection = idle.pollLast();
        }
        return connection;
    }

    /** Forgets a listener that waits for its turn to connect; whether it did. */
    public boolean cancel(UpstreamListener listener) {
        return waiting.remove(listener) || waitingForFresh.remove(listener);
    }

    /**
     * Closes what has been unused for longer than {@code upstream.idle-timeout}, to the accuracy of the time between two
     * calls.
     */
    public void expire(long nowNanos) {
        lookedNanos = nowNanos;
        if (backend.isRetired()) {
            closeIdle();
            return;
        }
        closeElsewhere();
        UpstreamConnection oldest = idle.peekFirst();
        while (oldest != null && nowNanos - oldest.idleSinceNanos() >= settings.idleTimeoutNanos()) {
            idle.pollFirst();
            oldest.close();
            oldest = idle.peekFirst();
        }
    }

    /** Closes all unused connections. */
    public void closeIdle() {
        for (UpstreamConnection next = idle.pollLast(); next != null; next = idle.pollLast()) {
            next.close();
        }
    }

    /** What is to be from now on; connections that are there stay as they are. */
    public void configure(UpstreamSettings next) {
        settings = next;
    }

    /** Whether there is no connection here, none being made, and nobody waiting for one; lent ones do not count. */
    public boolean isUnused() {
        return idle.isEmpty() && connecting == 0 && waiting.isEmpty() && waitingForFresh.isEmpty();
    }

    int idleCount() {
        return idle.size();
    }

    void park(UpstreamConnection connection) {
        UpstreamListener next = isThere(connection) ? waiting.pollFirst() : null;
        if (next != null) {
            connection.lend(next);
            next.onConnected(connection);
            return;
        }
        if (idle.size() >= settings.maxIdlePerLoop() || backend.isRetired() || !isThere(connection)) {
            connection.close();
            return;
        }
        connection.parkedAt(lookedNanos);
        idle.addLast(connection);
    }

    void onClosed(UpstreamConnection connection) {
        settings.openConnections().decrement();
        idle.remove(connection);
    }

    /** Whether the backend still is where the connection leads: its name may have another address by now. */
    private boolean isThere(UpstreamConnection connection) {
        return backend.addresses().contains(connection.address());
    }

    private void closeElsewhere() {
        List<InetSocketAddress> now = backend.addresses();
        if (!now.equals(known)) {
            known = now;
            for (UpstreamConnection connection : List.copyOf(idle)) {
                if (!isThere(connection)) {
                    connection.close();
                }
            }
        }
    }

    private void connect(UpstreamListener listener) {
        InetSocketAddress address = backend.address();
        if (address == null) {
            listener.onConnectFailed(ConnectFailure.UNRESOLVED);
            return;
        }
        connecting++;
        Wire wire = backend.config().isTls() ? new Wire() : null;
        UpstreamConnection connection = new UpstreamConnection(this, address, settings.newHeadParser(), wire, listener);
        ChannelHandler handler = wire == null ? connection : behindTls(wire, connection);
        long startedNanos = System.nanoTime();
        ChannelFuture future = bootstrap.clone().handler(handler).connect(address);
        if (future.isDone()) {
            onConnectDone(future, startedNanos, connection, listener);
        } else {
            future.addListener(done -> onConnectDone((ChannelFuture) done, startedNanos, connection, listener));
        }
    }

    private ChannelHandler behindTls(Wire wire, UpstreamConnection connection) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline()
                        .addLast(wire, settings.tls().newHandler(backend.config(), channel.alloc()), connection);
            }
        };
    }

    private void onConnectDone(
            ChannelFuture future, long startedNanos, UpstreamConnection connection, UpstreamListener listener) {
        Channel channel = future.channel();
        Wire wire = connection.wire();
        if (!future.isSuccess()) {
            onMade(channel, connection, listener, classify(future.cause()));
        } else if (wire == null) {
            onMade(channel, connection, listener, null);
        } else {
            long leftNanos = settings.connectNanos() - (System.nanoTime() - startedNanos);
            Handshake.await(channel, wire, leftNanos, failure -> {
                if (failure != null) {
                    wire.close();
                }
                onMade(channel, connection, listener, failure == null ? null : ConnectFailure.of(failure));
            });
        }
    }

    private void onMade(
            Channel channel,
            UpstreamConnection connection,
            UpstreamListener listener,
            @Nullable ConnectFailure failure) {
        connecting--;
        try {
            tell(channel, connection, listener, failure);
        } finally {
            serveWaiting();
        }
    }

    private void tell(
            Channel channel,
            UpstreamConnection connection,
            UpstreamListener listener,
            @Nullable ConnectFailure failure) {
        if (failure == null) {
            connection.onConnected(channel);
            settings.openConnections().increment();
            settings.metrics().onUpstreamConnect(backend.name(), ConnectResult.CONNECTED);
            listener.onConnected(connection);
        } else {
            settings.metrics().onUpstreamConnect(backend.name(), result(failure));
            listener.onConnectFailed(failure);
        }
    }

    /** Gives turns to those that wait. A loop, no recursion: a connect can fail before it has begun. */
    private void serveWaiting() {
        if (serving) {
            return;
        }
        serving = true;
        try {
            while (connecting < settings.maxConnecting() && !(waiting.isEmpty() && waitingForFresh.isEmpty())) {
                boolean fresh = !waitingForFresh.isEmpty();
                acquire((fresh ? waitingForFresh : waiting).removeFirst(), fresh);
            }
        } finally {
            serving = false;
        }
    }

    private static ConnectFailure classify(@Nullable Throwable cause) {
        if (cause instanceof ConnectTimeoutException) {
            return ConnectFailure.TIMED_OUT;
        }
        if (cause instanceof ChannelException) {
            return ConnectFailure.NO_SOCKET;
        }
        return cause instanceof ConnectException ? ConnectFailure.REFUSED : ConnectFailure.FAILED;
    }

    private static ConnectResult result(ConnectFailure failure) {
        return switch (failure) {
            case REFUSED -> ConnectResult.REFUSED;
            case TIMED_OUT, TLS_TIMED_OUT -> ConnectResult.TIMEOUT;
            default -> ConnectResult.ERROR;
        };
    }
}
