package io.drover.health;

import io.drover.backend.Backend;
import io.drover.config.DroverConfig;
import io.drover.http.BadMessageException;
import io.drover.tls.BackendContexts;
import io.drover.tls.TlsFailure;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One look at a backend's models: those on its disk if wanted, then those in its memory, on one connection if the backend keeps it
 * open, all within one deadline. Tells the backend each as it comes, and whoever waits the end, once. Belongs to one
 * event loop.
 */
final class ListingFetch {
    /** What is asked, in this order: the models on the disk, and those in memory. */
    private static final List<String> PATHS = List.of("/api/tags", "/api/ps");

    private final Backend backend;
    private final DroverConfig.Limits limits;
    private final Bootstrap bootstrap;
    private final BackendContexts tls;
    private final InetSocketAddress address;
    private final List<byte[]> requests;
    private final Consumer<@Nullable String> onEnd;

    private int asked;
    private int changes;
    private boolean diskListed;
    private ListingAnswer answer;
    private @Nullable Link link;
    private @Nullable Channel kept;
    private @Nullable Future<?> deadline;
    private boolean ended;

    /**
     * @param bootstrap with the transport and the loop set
     * @param requests from {@link #requests}
     * @param kept a connection that an earlier one {@linkplain #kept left open}; null if there is none
     * @param onEnd takes why it failed, or null
     */
    ListingFetch(
            Backend backend,
            DroverConfig.Limits limits,
            Bootstrap bootstrap,
            BackendContexts tls,
            InetSocketAddress address,
            List<byte[]> requests,
            @Nullable Channel kept,
            Consumer<@Nullable String> onEnd) {
        this.backend = backend;
        this.limits = limits;
        this.bootstrap = bootstrap;
        this.tls = tls;
        this.address = address;
        this.requests = requests;
        this.kept = kept;
        this.onEnd = onEnd;
        this.answer = new ListingAnswer(limits);
    }

    /** What to send to a backend, time after time. */
    static List<byte[]> requests(Backend backend) {
        return PATHS.stream()
                .map(path -> ProbeRequest.keepingOpen(backend, path))
                .toList();
    }

    /** @param disk whether to ask for the models on the disk, or only for those in memory */
    void start(EventLoop loop, boolean disk, long timeoutNanos) {
        asked = disk ? 0 : 1;
        changes = backend.modelChanges();
        deadline = loop.schedule(() -> end("timed out"), timeoutNanos, TimeUnit.NANOSECONDS);
        Channel open = kept;
        kept = null;
        if (open != null && open.isActive() && address.equals(open.remoteAddress())) {
            goOn(open);
        } else {
            if (open != null) {
                open.close();
            }
            connect();
        }
    }

    /** The connection, open and unused, for the next one to go on with; null if there is none. */
    @Nullable
    Channel kept() {
        return kept;
    }

    private void goOn(Channel open) {
        Link next = new Link();
        link = next;
        next.channel = open;
        // Should it have ended meanwhile, that is no failure: see Link.
        next.asks = 1;
        open.pipeline().removeLast();
        open.pipeline().addLast(next);
        next.ask();
    }

    /** Whether the disk was asked for and its listing has come, whatever became of the rest. */
    boolean isDiskListed() {
        return diskListed;
    }

    /** Ends it without telling anybody. */
    void cancel() {
        ended = true;
        release();
        if (kept != null) {
            kept.close();
        }
    }

    private void connect() {
        Link fresh = new Link();
        link = fresh;
        ChannelFuture connect =
                bootstrap.clone().handler(tls.before(fresh, backend.config())).connect(address);
        fresh.channel = connect.channel();
        if (connect.isDone()) {
            // Without a channel there is no loop either: a listener would be called on a strange thread.
            fresh.onConnectDone(connect.cause());
        } else {
            connect.addListener(done -> fresh.onConnectDone(done.cause()));
        }
    }

    private void onAnswer(Link from, boolean reusable) throws IOException {
        Map<String, String> digests = answer.models();
        if (asked > 0) {
            backend.onModels(backend.models().withInMemory(digests, answer.contextLengths()));
            if (reusable) {
                from.left = true;
                kept = from.channel;
                link = null;
            }
            end(null);
            return;
        }
        backend.onModels(backend.models().withListed(digests));
        backend.onListed(changes);
        diskListed = true;
        asked++;
        answer = new ListingAnswer(limits);
        if (reusable) {
            from.ask();
        } else {
            from.leave();
            connect();
        }
    }

    private void end(@Nullable String failure) {
        if (!ended) {
            ended = true;
            release();
            onEnd.accept(failure == null ? null : PATHS.get(asked) + ": " + failure);
        }
    }

    private void release() {
        if (deadline != null) {
            deadline.cancel(false);
        }
        if (link != null) {
            link.leave();
        }
    }

    /** A connection; one that was left, open or not, has nothing more to say. */
    private final class Link extends ChannelInboundHandlerAdapter {
        private @Nullable Channel channel;
        private boolean left;
        private int asks;
        /** TLS only: the backend has said that nothing more comes. */
        private boolean notified;

        private void onConnectDone(@Nullable Throwable cause) {
            if (cause != null && !left) {
                end("connect failed: " + cause.getMessage());
            }
        }

        void ask() {
            Channel to = channel;
            if (to != null) {
                asks++;
                byte[] request = requests.get(asked);
                to.writeAndFlush(to.alloc().ioBuffer(request.length).writeBytes(request), to.voidPromise());
            }
        }

        void leave() {
            left = true;
            // A channel that could not be made has no loop to be closed on.
            if (channel != null && channel.isRegistered()) {
                channel.close();
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            channel = context.channel();
            if (!left) {
                ask();
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            try {
                if (left) {
                    context.close();
                } else if (answer.read(bytes)) {
                    onAnswer(this, answer.isReusable() && !bytes.isReadable());
                }
            } catch (BadMessageException malformed) {
                end("malformed answer: " + malformed.getMessage());
            } catch (IOException noListing) {
                end(noListing.getMessage());
            } finally {
                bytes.release();
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof SslCloseCompletionEvent closed && closed.isSuccess()) {
                notified = true;
                context.close();
            } else if (event instanceof SslHandshakeCompletionEvent handshake && !handshake.isSuccess() && !left) {
                end("connect failed: " + TlsFailure.of(handshake.cause()).text());
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (left) {
                return;
            }
            try {
                if (answer.endsWithConnection()
                        && (notified || !backend.config().isTls())) {
                    onAnswer(this, false);
                } else if (asks > 1 && answer.isUntouched()) {
                    // It closed behind its first answer without having said so.
                    left = true;
                    connect();
                } else {
                    end("connection closed");
                }
            } catch (IOException noListing) {
                end(noListing.getMessage());
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            // A reset ends no answer; one that was kept open it may befall as a close does.
            if (!left && asks > 1 && answer.isUntouched()) {
                leave();
                connect();
            } else if (!left) {
                end("connection failed: " + cause);
            }
        }
    }
}
