package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.TransportKind;
import io.drover.server.Transport;
import io.drover.testing.Await;
import io.drover.testing.RawClient;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the kernel tells of a peer whose bytes were not read. */
class PeerStateTest {
    private static final List<TransportKind> ASKING = List.of(TransportKind.IO_URING, TransportKind.EPOLL);

    static List<TransportKind> transports() {
        return Transport.available();
    }

    @ParameterizedTest
    @MethodSource("transports")
    void aPeerThatStaysHasNotLeft(TransportKind kind) throws Exception {
        leftAfter(kind, client -> client.send("unread"), false);
    }

    @ParameterizedTest
    @MethodSource("transports")
    void aFinIsSeenBehindUnreadBytesWhereTheKernelIsAsked(TransportKind kind) throws Exception {
        leftAfter(kind, client -> client.send("unread").finish(), ASKING.contains(kind));
    }

    @ParameterizedTest
    @MethodSource("transports")
    void aResetIsSeenBehindUnreadBytesWhereTheKernelIsAsked(TransportKind kind) throws Exception {
        leftAfter(kind, client -> client.send("unread").reset(), ASKING.contains(kind));
    }

    @ParameterizedTest
    @MethodSource("transports")
    void ofAClosedChannelNothingIsAsked(TransportKind kind) throws Exception {
        try (Accepted accepted = new Accepted(kind)) {
            accepted.channel.close().sync();
            assertThat(new PeerState().hasLeft(accepted.channel)).isFalse();
        }
    }

    /** All on the channel's loop, which so has no turn to read, or to close what has ended. */
    private static void leftAfter(TransportKind kind, Consumer<RawClient> behaviour, boolean left) throws Exception {
        PeerState state = new PeerState();
        try (Accepted accepted = new Accepted(kind)) {
            Runnable play = () -> {
                behaviour.accept(accepted.client);
                if (left) {
                    Await.until("seen", Duration.ofSeconds(5), () -> state.hasLeft(accepted.channel));
                } else {
                    assertThat(state.hasLeft(accepted.channel)).isFalse();
                }
            };
            accepted.channel.eventLoop().submit(play).get(10, TimeUnit.SECONDS);
        }
    }

    /** A connection whose accepting side does not read. */
    private static final class Accepted implements AutoCloseable {
        final MultiThreadIoEventLoopGroup loops;
        final RawClient client;
        final Channel channel;

        Accepted(TransportKind kind) throws Exception {
            Transport transport = Transport.choose(kind);
            loops = new MultiThreadIoEventLoopGroup(1, transport.ioHandlers());
            CompletableFuture<Channel> accepted = new CompletableFuture<>();
            Channel listener = new ServerBootstrap()
                    .group(loops)
                    .channel(transport.serverChannel())
                    .childOption(ChannelOption.AUTO_READ, false)
                    .childHandler(new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelActive(ChannelHandlerContext context) {
                            accepted.complete(context.channel());
                        }

                        @Override
                        public void exceptionCaught(ChannelHandlerContext context, Throwable reset) {
                            context.close();
                        }
                    })
                    .bind(InetAddress.getLoopbackAddress(), 0)
                    .sync()
                    .channel();
            client = RawClient.connect((InetSocketAddress) listener.localAddress());
            channel = accepted.get(5, TimeUnit.SECONDS);
        }

        @Override
        public void close() {
            client.close();
            channel.close().syncUninterruptibly();
            loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }
}
