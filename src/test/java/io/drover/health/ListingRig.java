package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.config.DroverConfig.TlsProvider;
import io.drover.demo.SimulatedOllama;
import io.drover.demo.SimulatedOllama.Settings;
import io.drover.testing.RawBackend;
import io.drover.tls.BackendContexts;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A loop with listings on it, and backends for them to ask. Closing it closes all that it made. */
final class ListingRig {
    static final String A = key("a");
    static final String B = key("b");
    static final String TAGS = "{\"models\":[{\"name\":\"a:latest\",\"digest\":\"1\"}]}";
    static final String PS = "{\"models\":[{\"name\":\"a:latest\",\"digest\":\"1\",\"size_vram\":7}]}";

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    final EventLoop loop = (EventLoop) group.next();
    private final List<AutoCloseable> opened = new ArrayList<>();
    private @Nullable ModelListings listings;

    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    static RawBackend.Script answering() {
        return connection -> {
            while (connection.hasMore()) {
                connection.answer(body(connection.readRequest()));
            }
        };
    }

    static String body(RawBackend.Request request) {
        return request.startLine().contains("/api/tags") ? TAGS : PS;
    }

    static String key(String name) {
        return "registry.ollama.ai/library/" + name + ":latest";
    }

    static Map<String, String> keys(String interval, String timeout) {
        return Map.of("health.active.interval", interval, "health.active.timeout", timeout);
    }

    SimulatedOllama ollama(String... models) {
        return with(SimulatedOllama.start(Settings.defaults().withModels(models)));
    }

    RawBackend raw(RawBackend.Script script) throws IOException {
        return with(RawBackend.start(script));
    }

    Backend backend(RawBackend.Script script) throws IOException {
        return herd(raw(script).url()).get(0);
    }

    /** In front of these, with time enough and no gap. */
    Herd herd(URI... urls) {
        String[] texts = List.of(urls).stream().map(URI::toString).toArray(String[]::new);
        return start(Herd.of(keys("5m", "10s"), texts), Duration.ZERO);
    }

    Herd start(Herd herd, Duration gap) {
        // Numeric addresses are known from here on.
        herd.resolveNumeric();
        listings = with(new ModelListings(
                herd.config, loop, NioSocketChannel.class, new BackendContexts(TlsProvider.AUTO), gap));
        return herd;
    }

    /** Starts probes, whose successes the listings follow; completes with the first round. */
    CompletionStage<Void> probe(Herd herd) {
        HealthProber prober = with(new HealthProber(
                herd.config,
                loop,
                NioSocketChannel.class,
                new BackendContexts(TlsProvider.AUTO),
                listings()::afterProbe,
                gone -> {}));
        return prober.add(herd.cluster.backends());
    }

    ModelListings listings() {
        return Objects.requireNonNull(listings);
    }

    /** Looks at disk and memory, and waits for that. */
    void refresh(Backend backend) {
        join(listings().refreshNow(backend));
    }

    /** What a probe that was answered does, to its end. */
    void afterProbe(Backend backend) {
        join(loop.submit(() -> listings().afterProbe(backend))
                .syncUninterruptibly()
                .getNow());
    }

    static void join(CompletionStage<Void> stage) {
        stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    }

    /** Loads a model, as a client does. */
    static void generate(SimulatedOllama ollama, String model) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(ollama.url().resolve("/api/generate"))
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\":\"" + model + "\",\"prompt\":\"x\",\"stream\":false}"))
                .build();
        HttpResponse<String> response = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .build()
                .send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(200);
    }

    /** Closes it at the end, the last first. */
    <T extends AutoCloseable> T with(T one) {
        opened.add(0, one);
        return one;
    }
}
