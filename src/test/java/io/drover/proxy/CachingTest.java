package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.backend.Models;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What happens beside an event loop, and where nothing more does. */
class CachingTest {
    private static final Executor FULL = task -> {
        throw new RejectedExecutionException("full");
    };

    private static TestWorker worker(Executor aside) {
        return new TestWorker(Map.of("cache.enabled", "true"), List.of("http://127.0.0.1:1"), aside);
    }

    @Test
    void afterAFaultBesideTheLoopTheRequestGoesOn() throws Exception {
        try (TestWorker worker = worker(Runnable::run)) {
            Worker loop = worker.worker();
            CompletableFuture<Boolean> goesOn = new CompletableFuture<>();
            Runnable faulty = () -> {
                throw new IllegalStateException("a fault");
            };
            Caching caching = Objects.requireNonNull(loop.context().caching());
            assertThat(caching.aside(
                            loop, faulty, () -> goesOn.complete(loop.loop().inEventLoop())))
                    .isTrue();
            assertThat(goesOn.get(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aLargeRequestThatNobodyHasTimeToReadIsNotLookedUp() throws Exception {
        try (TestWorker worker = worker(FULL)) {
            Worker loop = worker.worker();
            Backend backend = loop.context().cluster().backends().get(0);
            backend.onModels(Models.UNKNOWN.withListed(Map.of("m:latest", "1")));
            backend.onVersion("0.32.15");
            backend.onListed(backend.modelChanges());
            String response = loop.loop().submit(() -> askForMuch(loop)).get(10, TimeUnit.SECONDS);
            assertThat(response).startsWith("HTTP/1.1 504 ").contains("X-Cache: BYPASS\r\n");
        }
    }

    /** Asks for what is kept only, so that the answer says at once what was found. */
    private static String askForMuch(Worker loop) {
        String body = "{\"model\":\"m\",\"prompt\":\"" + "w".repeat(100_000) + "\",\"options\":{\"seed\":1}}";
        ByteBuf request = Unpooled.copiedBuffer(
                "POST /api/generate HTTP/1.1\r\nHost: x\r\nCache-Control: only-if-cached\r\nContent-Length: "
                        + body.length() + "\r\n\r\n" + body,
                StandardCharsets.US_ASCII);
        EmbeddedChannel channel = new EmbeddedChannel(loop.newClientConnection());
        channel.writeInbound(request);
        StringBuilder response = new StringBuilder();
        for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
            response.append(part.toString(StandardCharsets.US_ASCII));
            part.release();
        }
        assertThat(request.refCnt()).as("nobody keeps it").isZero();
        channel.finishAndReleaseAll();
        return response.toString();
    }
}
