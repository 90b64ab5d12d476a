package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.drover.backend.Backend;
import io.drover.health.NameResolver.Lookup;
import io.drover.testing.Await;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(30)
class NameResolverTest {
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final Duration OFTEN = Duration.ofMillis(5);
    private static final Duration ONCE = Duration.ofHours(1);

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(ResolvedName.class);
    private final AtomicInteger lookUps = new AtomicInteger();
    private @Nullable NameResolver resolver;

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void close() {
        if (resolver != null) {
            resolver.close();
            // A look-up that is being told of would be told to the next test.
            Await.until("the last look-up's end", SOON, () -> Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().startsWith("name-resolver")));
        }
        logger.detachAppender(log);
    }

    @Test
    void numericAddressesAreKnownAtOnceAndNeverLookedUp() {
        Herd herd = Herd.of(Map.of(), "http://10.0.0.1:11434", "http://[::1]:8081", "http://127.0.0.1");

        start(herd, answer("10.9.9.9"), OFTEN);

        assertThat(herd.get(0).addresses()).containsExactly(at("10.0.0.1", 11434));
        assertThat(herd.get(1).addresses()).containsExactly(at("::1", 8081));
        assertThat(herd.get(2).addresses()).containsExactly(at("127.0.0.1", 80));
        assertThat(lookUps).hasValue(0);
    }

    @Test
    void backendsOfOneNameShareALookUp() {
        Herd herd = Herd.of(Map.of(), "http://gpu1:1", "http://gpu1:2");

        start(herd, answer("10.0.0.1", "10.0.0.2"), ONCE);
        awaitResolved(herd.get(1));

        assertThat(herd.get(0).addresses()).containsExactly(at("10.0.0.1", 1), at("10.0.0.2", 1));
        assertThat(herd.get(1).address()).isEqualTo(at("10.0.0.1", 2));
        assertThat(lookUps).hasValue(1);
    }

    @Test
    void theJdksResolverKnowsLocalhost() {
        Herd herd = Herd.of(Map.of(), "http://localhost:11434");

        resolver = new NameResolver();
        resolver.add(herd.cluster.backends());
        awaitResolved(herd.get(0));

        assertThat(herd.get(0).addresses())
                .allMatch(address -> address.getAddress().isLoopbackAddress());
    }

    @Test
    void aChangeIsTakenAndLoggedOnce() {
        Herd herd = Herd.of(Map.of(), "http://gpu1:1");
        Script script = new Script(answer("10.0.0.1"));
        start(herd, script, OFTEN);
        awaitResolved(herd.get(0));

        script.becomes(answer("10.0.0.2"));
        Await.until("the new address", SOON, () -> at("10.0.0.2", 1)
                .equals(herd.get(0).address()));
        awaitThreeMore();

        assertThat(logged()).containsExactly("INFO backend name gpu1 has the address 10.0.0.2, had 10.0.0.1");
    }

    @Test
    void anotherOrderIsNoChange() {
        Herd herd = Herd.of(Map.of(), "http://gpu1:1");
        Script script = new Script(answer("10.0.0.1", "10.0.0.2"));
        start(herd, script, OFTEN);
        awaitResolved(herd.get(0));

        script.becomes(answer("10.0.0.2", "10.0.0.1"));
        awaitThreeMore();

        assertThat(herd.get(0).address()).isEqualTo(at("10.0.0.1", 1));
        assertThat(logged()).isEmpty();
    }

    @Test
    void aFailureKeepsTheAddressesAndIsLoggedOnce() {
        Herd herd = Herd.of(Map.of(), "http://gpu1:1");
        Script script = new Script(answer("10.0.0.1"));
        start(herd, script, OFTEN);
        awaitResolved(herd.get(0));

        script.becomes(host -> {
            throw new UnknownHostException(host);
        });
        awaitThreeMore();
        assertThat(herd.get(0).address()).isEqualTo(at("10.0.0.1", 1));
        script.becomes(answer("10.0.0.1"));
        Await.until("told", SOON, () -> logged().size() == 2);
        awaitThreeMore();

        assertThat(logged())
                .containsExactly(
                        "WARN backend name gpu1 not resolved: java.net.UnknownHostException: gpu1; "
                                + "its address remains 10.0.0.1",
                        "INFO backend name gpu1 has the address 10.0.0.1, had 10.0.0.1");
    }

    @Test
    void anUnknownNameIsTriedAgain() {
        Herd herd = Herd.of(Map.of(), "http://gpu1:1");
        Script script = new Script(host -> new InetAddress[0]);
        start(herd, script, OFTEN);
        awaitThreeMore();
        assertThat(herd.get(0).address()).isNull();

        script.becomes(answer("10.0.0.1"));

        awaitResolved(herd.get(0));
    }

    @Test
    void anErrorOfTheResolverIsNotTheLastLookUp() {
        Herd herd = Herd.of(Map.of(), "http://gpu1:1");
        Script script = new Script(host -> {
            throw new IllegalStateException("broken");
        });
        start(herd, script, OFTEN);
        awaitThreeMore();

        script.becomes(answer("10.0.0.1"));

        awaitResolved(herd.get(0));
    }

    @Test
    void slowNamesHoldUpNeitherTheStartNorTheOthers() {
        CountDownLatch release = new CountDownLatch(1);
        Set<String> asked = ConcurrentHashMap.newKeySet();
        Lookup quick = answer("10.0.0.1");
        Herd herd = Herd.of(Map.of(), "http://slow1:1", "http://slow2:1", "http://slow3:1", "http://quick:1");

        start(
                herd,
                host -> {
                    asked.add(host);
                    if (host.startsWith("slow")) {
                        awaitQuietly(release);
                    }
                    return quick.addresses(host);
                },
                ONCE);

        awaitResolved(herd.get(3));
        Await.until("all asked", SOON, () -> asked.size() == 4);
        assertThat(herd.get(0).address()).isNull();
        release.countDown();
        awaitResolved(herd.get(0));
    }

    @Test
    void threadsAreBoundedAndDaemons() {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        Lookup found = answer("10.0.0.1");
        Herd herd = Herd.of(
                Map.of(),
                IntStream.range(0, 50).mapToObj(i -> "http://gpu" + i + ":1").toArray(String[]::new));

        start(
                herd,
                host -> {
                    threads.add(Thread.currentThread());
                    return found.addresses(host);
                },
                OFTEN);
        herd.cluster.backends().forEach(NameResolverTest::awaitResolved);

        assertThat(threads).hasSizeLessThanOrEqualTo(8).allMatch(Thread::isDaemon);
    }

    private static void awaitQuietly(CountDownLatch latch) throws UnknownHostException {
        try {
            latch.await();
        } catch (InterruptedException closed) {
            throw new UnknownHostException("interrupted");
        }
    }

    private void start(Herd herd, Lookup lookup, Duration interval) {
        resolver = new NameResolver(
                host -> {
                    lookUps.incrementAndGet();
                    return lookup.addresses(host);
                },
                interval);
        resolver.add(herd.cluster.backends());
    }

    private static void awaitResolved(Backend backend) {
        Await.until(backend + " resolved", SOON, () -> backend.address() != null);
    }

    private void awaitThreeMore() {
        // The first of them may have begun before this.
        int enough = lookUps.get() + 4;
        Await.until("more look-ups", SOON, () -> lookUps.get() >= enough);
    }

    private List<String> logged() {
        return List.copyOf(log.list).stream()
                .map(event -> event.getLevel() + " " + event.getFormattedMessage())
                .toList();
    }

    private static InetSocketAddress at(String address, int port) {
        return new InetSocketAddress(address(address), port);
    }

    private static InetAddress address(String digits) {
        return Objects.requireNonNull(NetUtil.createInetAddressFromIpAddressString(digits));
    }

    private static Lookup answer(String... addresses) {
        InetAddress[] found = new InetAddress[addresses.length];
        for (int i = 0; i < found.length; i++) {
            found[i] = address(addresses[i]);
        }
        return host -> found;
    }

    /** A look-up whose answer can be changed. */
    private static final class Script implements Lookup {
        private volatile Lookup current;

        Script(Lookup first) {
            current = first;
        }

        void becomes(Lookup next) {
            current = next;
        }

        @Override
        public InetAddress[] addresses(String host) throws UnknownHostException {
            return current.addresses(host);
        }
    }
}
