package io.drover.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.drover.testing.RawClient;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Servers on loops of their owner's choice. */
class SimulatedLoopsTest {
    private static final String BODY = "{\"model\":\"llama3.2\",\"prompt\":\"a\"}";

    @Test
    void twoServersShareTwoNioLoopsThatOutliveThem() {
        share(NioIoHandler.newFactory(), NioServerSocketChannel.class);
    }

    @Test
    void twoServersShareTwoEpollLoopsThatOutliveThem() {
        assumeTrue(Epoll.isAvailable(), "epoll is of Linux");
        share(EpollIoHandler.newFactory(), EpollServerSocketChannel.class);
    }

    private static void share(IoHandlerFactory io, Class<? extends ServerChannel> type) {
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, io);
        try {
            SimulatedOllama.Settings settings =
                    SimulatedOllama.Settings.defaults().withLoops(loops, type).withSlots(4);
            try (SimulatedOllama first = SimulatedOllama.start(settings);
                    SimulatedOllama second = SimulatedOllama.start(settings)) {
                for (int i = 0; i < 4; i++) {
                    answersAndResetsAndLeaves(first);
                    answersAndResetsAndLeaves(second);
                }
                first.freeze();
                try (RawClient client = RawClient.connect(first.address())) {
                    client.request("GET", "/", "").expectSilence(Duration.ofMillis(20));
                    first.thaw();
                    assertThat(client.readResponse().status()).isEqualTo(200);
                }
                first.refuse();
                first.resume();
                answersAndResetsAndLeaves(first);
            }
            assertThat(loops.isShuttingDown()).isFalse();
        } finally {
            loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    private static void answersAndResetsAndLeaves(SimulatedOllama ollama) {
        try (RawClient client = RawClient.connect(ollama.address())) {
            assertThat(client.exchange("POST", "/api/generate", BODY).body()).contains("\"done\":true");
            client.request("POST", "/api/generate", BODY, "X-Sim-Fault: reset-before-head")
                    .expectReset();
        }
        long before = ollama.cancelled();
        try (RawClient client = RawClient.connect(ollama.address())) {
            client.request("POST", "/api/generate", BODY, "X-Sim-Fault: stall:1")
                    .readHead();
        }
        ollama.await("cancelled", () -> ollama.cancelled() == before + 1 && ollama.active() == 0);
    }
}
