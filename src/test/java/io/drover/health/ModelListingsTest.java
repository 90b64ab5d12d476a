package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.backend.BackendState;
import io.drover.backend.Models;
import io.drover.config.DroverConfig.TlsProvider;
import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Await;
import io.drover.testing.RawBackend;
import io.drover.tls.BackendContexts;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ModelListingsTest {
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final Duration NEVER = Duration.ofHours(1);

    private final ListingRig rig = new ListingRig();

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    @Test
    void callsWhileALookIsUnderWayShareTheNextOne() throws IOException {
        CountDownLatch gate = new CountDownLatch(1);
        RawBackend raw = rig.raw(connection -> {
            while (connection.hasMore()) {
                String body = ListingRig.body(connection.readRequest());
                connection.await(gate);
                connection.answer(body);
            }
        });
        Backend backend = rig.herd(raw.url()).get(0);
        List<CompletionStage<Void>> calls = new ArrayList<>();
        calls.add(rig.listings().refreshNow(backend));
        Await.until("a look under way", SOON, () -> raw.requests().size() == 1);

        for (int i = 0; i < 100; i++) {
            calls.add(rig.listings().refreshNow(backend));
            calls.add(rig.listings().refreshNow());
        }
        gate.countDown();

        calls.forEach(ListingRig::join);
        assertThat(raw.requests()).hasSize(4);
    }

    @Test
    void clientsCannotAskFasterThanTheGapButAProbeCan() {
        SimulatedOllama ollama = rig.ollama("a");
        Backend backend = rig.start(
                        Herd.of(ListingRig.keys("5m", "10s"), ollama.url().toString()), NEVER)
                .get(0);
        rig.refresh(backend);

        CompletionStage<Void> second = rig.listings().refreshNow(backend);
        CompletionStage<Void> third = rig.listings().refreshNow();
        rig.loop.submit(() -> {}).syncUninterruptibly();
        assertThat(second.toCompletableFuture()).isNotDone();
        assertThat(third.toCompletableFuture()).isNotDone();
        assertThat(ollama.requests()).isEqualTo(2);
        rig.loop.execute(() -> rig.listings().afterProbe(backend));

        ListingRig.join(second);
        ListingRig.join(third);
        assertThat(ollama.requests()).isEqualTo(4);
    }

    @Test
    void aCallBehindTheGapIsAnsweredByItself() {
        SimulatedOllama ollama = rig.ollama("a");
        Backend backend = rig.start(
                        Herd.of(ListingRig.keys("5m", "10s"), ollama.url().toString()), Duration.ofMillis(100))
                .get(0);
        rig.refresh(backend);
        ollama.addModel(SimulatedModel.named("b"));

        rig.refresh(backend);

        assertThat(backend.models().lists(ListingRig.B)).isTrue();
    }

    @Test
    void whatWasPulledAnewOrDeletedIsToldOnce() {
        SimulatedOllama ollama = rig.ollama("a", "b", "c");
        Herd herd = rig.herd(ollama.url());
        rig.refresh(herd.get(0));
        assertThat(herd.changed).isEmpty();
        SimulatedModel a = SimulatedModel.named("a");
        ollama.addModel(a.revised("2"));
        ollama.removeModel("b");

        rig.refresh(herd.get(0));
        rig.refresh(herd.get(0));

        assertThat(herd.changed)
                .containsExactlyInAnyOrder(
                        ListingRig.A + " " + a.digest() + " " + a.revised("2").digest(),
                        ListingRig.B + " " + SimulatedModel.named("b").digest() + " null");
    }

    @Test
    void theContextOfWhatIsInMemoryIsKnown() throws Exception {
        SimulatedOllama ollama = rig.ollama("a", "b");
        Backend backend = rig.herd(ollama.url()).get(0);
        ListingRig.generate(ollama, "a");

        rig.refresh(backend);

        assertThat(backend.models().contextLength(ListingRig.A)).isEqualTo(4096);
        assertThat(backend.models().contextLength(ListingRig.B)).isZero();
    }

    @Test
    void aChangeWhileTheDiskIsListedNeedsAnotherListing() throws IOException {
        CountDownLatch gate = new CountDownLatch(1);
        RawBackend raw = rig.raw(connection -> {
            while (connection.hasMore()) {
                String body = ListingRig.body(connection.readRequest());
                connection.await(gate);
                connection.answer(body);
            }
        });
        Backend backend = rig.herd(raw.url()).get(0);
        CompletionStage<Void> first = rig.listings().refreshNow(backend);
        Await.until("a look under way", SOON, () -> raw.requests().size() == 1);
        backend.onModelChange();
        gate.countDown();
        ListingRig.join(first);
        assertThat(backend.models().isKnown()).isTrue();
        assertThat(backend.isListed()).isFalse();

        // The disk is due, though it was listed a moment ago.
        rig.afterProbe(backend);

        assertThat(backend.isListed()).isTrue();
        assertThat(raw.requests()).hasSize(4);
    }

    @Test
    void allThatAreInRotationAreAsked() {
        SimulatedOllama first = rig.ollama("a");
        SimulatedOllama second = rig.ollama("a");
        SimulatedOllama third = rig.ollama("a");
        Herd herd = rig.herd(first.url(), second.url(), third.url());
        rig.refresh(herd.get(0));
        rig.refresh(herd.get(1));
        herd.get(1).onProbe(false, "gone", System.nanoTime());
        first.addModel(SimulatedModel.named("b"));
        second.addModel(SimulatedModel.named("b"));

        ListingRig.join(rig.listings().refreshNow());

        assertThat(herd.get(0).models().lists(ListingRig.B)).isTrue();
        assertThat(herd.get(1).models().lists(ListingRig.B)).isFalse();
        assertThat(herd.get(1).models().lists(ListingRig.A)).isTrue();
        assertThat(third.requests()).isZero();
    }

    @Test
    void aBackendThatWasForgottenIsNotAsked() {
        SimulatedOllama ollama = rig.ollama("a");
        Backend backend = rig.herd(ollama.url()).get(0);
        rig.refresh(backend);

        rig.listings().forget(backend);
        ListingRig.join(rig.listings().refreshNow());

        assertThat(ollama.requests()).isEqualTo(2);
    }

    @Test
    void closingLetsEverybodyGo() throws IOException {
        CountDownLatch left = new CountDownLatch(1);
        RawBackend raw = rig.raw(connection -> {
            connection.readRequest();
            connection.awaitClientClose();
            left.countDown();
        });
        Backend backend = rig.start(
                        Herd.of(ListingRig.keys("5m", "5m"), raw.url().toString()), NEVER)
                .get(0);
        CompletionStage<Void> underWay = rig.listings().refreshNow(backend);
        CompletionStage<Void> wanted = rig.listings().refreshNow(backend);
        Await.until("a look under way", SOON, () -> raw.requests().size() == 1);

        rig.listings().close();

        ListingRig.join(underWay);
        ListingRig.join(wanted);
        ListingRig.join(rig.listings().refreshNow());
        ListingRig.join(rig.listings().refreshNow(backend));
        Await.until("the connection closed", SOON, () -> left.getCount() == 0);
        assertThat(raw.connectionsAccepted()).isEqualTo(1);
    }

    @Test
    void aLoopThatHasEndedLetsEverybodyGo() {
        SimulatedOllama ollama = rig.ollama("a");
        Herd herd = Herd.of(ListingRig.keys("5m", "10s"), ollama.url().toString());
        MultiThreadIoEventLoopGroup brief = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        ModelListings ended = new ModelListings(
                herd.config, (EventLoop) brief.next(), NioSocketChannel.class, new BackendContexts(TlsProvider.AUTO));
        brief.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();

        ListingRig.join(ended.refreshNow());
        ListingRig.join(ended.refreshNow());
        ListingRig.join(ended.refreshNow(herd.get(0)));
        ended.close();

        assertThat(ollama.requests()).isZero();
    }

    @Test
    void anIntervalOfZeroAsksNothing() {
        SimulatedOllama ollama = rig.ollama("a");
        Herd herd = rig.start(Herd.of(ListingRig.keys("0", "10s"), ollama.url().toString()), Duration.ZERO);
        rig.probe(herd);

        rig.refresh(herd.get(0));
        ListingRig.join(rig.listings().refreshNow());

        assertThat(ollama.requests()).isZero();
        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
    }

    @Test
    void theFirstRoundOfProbesEndsWithTheModelsKnown() {
        SimulatedOllama ollama = rig.ollama("a");
        Herd herd = rig.herd(ollama.url());

        ListingRig.join(rig.probe(herd));

        assertThat(herd.state(0)).isEqualTo(BackendState.UP);
        assertThat(herd.get(0).models().listed()).containsExactly(ListingRig.A);
    }

    @Test
    void theFirstRoundOfProbesEndsThoughModelsAreNotListed() throws IOException {
        RawBackend raw = RawBackend.answering(
                "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nConnection: close\r\n\r\n{\"version\":\"0.9\"}");
        rig.with(raw);
        Herd herd = rig.herd(raw.url());

        ListingRig.join(rig.probe(herd));

        assertThat(herd.state(0)).isEqualTo(BackendState.UP);
        assertThat(herd.get(0).models()).isSameAs(Models.UNKNOWN);
    }

    @Test
    void probesKeepTheListingFresh() throws Exception {
        SimulatedOllama ollama = rig.ollama("a");
        Herd herd =
                rig.start(Herd.of(ListingRig.keys("20ms", "5s"), ollama.url().toString()), NEVER);
        ListingRig.join(rig.probe(herd));
        Backend backend = herd.get(0);

        ollama.addModel(SimulatedModel.named("b"));
        Await.until("b listed", SOON, () -> backend.models().lists(ListingRig.B));
        ListingRig.generate(ollama, "b");
        Await.until("b loaded", SOON, () -> backend.models().isLoaded(ListingRig.B));
        ollama.removeModel("a");
        Await.until("a gone", SOON, () -> !backend.models().lists(ListingRig.A));
    }

    @Test
    void aProbeLooksAtTheMemoryAndARequestAtTheDiskToo() throws IOException {
        RawBackend raw = rig.raw(ListingRig.answering());
        Backend backend = rig.herd(raw.url()).get(0);

        rig.afterProbe(backend);
        rig.afterProbe(backend);
        rig.refresh(backend);

        assertThat(raw.requests())
                .extracting(request -> request.startLine().split(" ")[1])
                .containsExactly("/api/tags", "/api/ps", "/api/ps", "/api/tags", "/api/ps");
    }

    @Test
    void aDiskThatWasNotListedIsAskedForAgain() throws IOException {
        RawBackend raw = rig.raw(connection -> {
            while (connection.hasMore()) {
                String body = ListingRig.body(connection.readRequest());
                connection.answer(connection.number() == 1 ? "{}" : body);
            }
        });
        Backend backend = rig.herd(raw.url()).get(0);

        rig.afterProbe(backend);
        rig.afterProbe(backend);

        assertThat(backend.models().lists(ListingRig.A)).isTrue();
        assertThat(backend.models().isLoaded(ListingRig.A)).isTrue();
    }

    @Test
    void aBackendThatIsDownKeepsItsLastListingAndIsAskedAgainWhenItAnswers() {
        SimulatedOllama ollama = rig.ollama("a");
        Herd herd =
                rig.start(Herd.of(ListingRig.keys("20ms", "5s"), ollama.url().toString()), NEVER);
        ListingRig.join(rig.probe(herd));
        ollama.refuse();
        ollama.disconnect(true);
        Await.until("down", SOON, () -> herd.state(0) == BackendState.DOWN);
        Models last = herd.get(0).models();
        assertThat(last.lists(ListingRig.A)).isTrue();

        ollama.addModel(SimulatedModel.named("b"));
        ollama.resume();

        Await.until("b listed", SOON, () -> herd.get(0).models().lists(ListingRig.B));
    }
}
