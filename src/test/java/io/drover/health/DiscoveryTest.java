package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.drover.config.DiscoveryName;
import io.drover.testing.Await;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.codec.dns.DnsResponseCode;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@Timeout(60)
class DiscoveryTest extends DiscoveryRig {
    @Test
    void findsTheAddressesOfBothFamilies() {
        dns.a(HOST, "10.0.0.2", "10.0.0.1");
        dns.aaaa(HOST, "fd00::2", "fd00::1");

        discover(HOST + ":11434");

        heard.awaitAll("10.0.0.1:11434", "10.0.0.2:11434", "fd00::1:11434", "fd00::2:11434");
        assertThat(heard.last()).allSatisfy(found -> {
            assertThat(found.host()).isEqualTo(HOST);
            assertThat(found.weight()).isEqualTo(1);
            assertThat(found.backup()).isFalse();
            assertThat(found.address().isUnresolved()).isFalse();
        });
        assertThat(heard.troubles).isEmpty();
    }

    @Test
    void oneFamilyIsEnough() {
        dns.a(HOST, "10.0.0.1");
        discover(HOST + ":80");
        heard.awaitAll("10.0.0.1:80");

        dns.a(HOST);
        dns.aaaa(HOST, "fd00::1");
        heard.awaitAll("fd00::1:80");

        assertThat(heard.troubles).isEmpty();
    }

    @Test
    void followsTheSetAsItGrowsAndShrinks() {
        dns.a(HOST, "10.0.0.1");
        discover(HOST + ":80");
        heard.awaitAll("10.0.0.1:80");

        dns.a(HOST, "10.0.0.1", "10.0.0.2", "10.0.0.3");
        heard.awaitAll("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");

        dns.a(HOST, "10.0.0.3");
        heard.awaitAll("10.0.0.3:80");

        assertThat(heard.sets).hasSize(3);
        assertThat(heard.troubles).isEmpty();
    }

    @Test
    void anotherOrderIsNoChange() {
        dns.a(HOST, "10.0.0.1", "10.0.0.2", "10.0.0.3");
        discover(HOST + ":80");
        heard.awaitAll("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");

        dns.a(HOST, "10.0.0.3", "10.0.0.1", "10.0.0.2", "10.0.0.3");
        awaitLookUps(5);

        assertThat(heard.sets).hasSize(1);
    }

    @Test
    void aNameThatIsGoneKeepsItsAddresses() {
        dns.a(HOST, "10.0.0.1", "10.0.0.2");
        discover(HOST + ":80");
        heard.awaitAll("10.0.0.1:80", "10.0.0.2:80");

        dns.forget(HOST);
        awaitLookUps(10);

        assertThat(heard.sets).hasSize(1);
        assertThat(heard.troubles).containsExactly("failed: A of ollama.test.: no such name");

        dns.a(HOST, "10.0.0.2");
        heard.awaitAll("10.0.0.2:80");
        assertThat(heard.troubles).hasSize(2).endsWith("recovered");
    }

    @Test
    void anEmptyAnswerKeepsTheAddresses() {
        dns.a(HOST, "10.0.0.1");
        discover(HOST + ":80");
        heard.awaitAll("10.0.0.1:80");

        dns.a(HOST);
        awaitLookUps(10);
        dns.a(HOST, "10.0.0.1");
        heard.awaitTroubles("failed: A of ollama.test.: no such record", "recovered");

        assertThat(heard.sets).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 5})
    void anErrorKeepsTheAddresses(int code) {
        DnsResponseCode error = DnsResponseCode.valueOf(code);
        dns.a(HOST, "10.0.0.1");
        discover(HOST + ":80");
        heard.awaitAll("10.0.0.1:80");

        dns.fail(HOST, A, error);
        dns.fail(HOST, AAAA, error);
        awaitLookUps(10);
        dns.a(HOST, "10.0.0.1");
        dns.aaaa(HOST);
        heard.awaitTroubles("failed: A of ollama.test.: " + error + " from 127.0.0.1", "recovered");

        assertThat(heard.sets).hasSize(1);
    }

    @Test
    void noAnswerKeepsTheAddresses() {
        timeout = IMPATIENT;
        dns.a(HOST, "10.0.0.1");
        discover(HOST + ":80");
        heard.awaitAll("10.0.0.1:80");

        dns.ignore(HOST, A);
        dns.ignore(HOST, AAAA);
        heard.awaitTrouble("failed: A of ollama.test.: no answer from 127.0.0.1 in 100 ms");
        dns.a(HOST, "10.0.0.1");
        dns.aaaa(HOST);
        heard.awaitTrouble("recovered");

        assertThat(heard.sets).hasSize(1);
    }

    @Test
    void aNameServerThatIsAwayAtTheStartIsToldAndWaitedFor() {
        timeout = IMPATIENT;
        dns.ignore(HOST, A);
        discover(HOST + ":80");
        heard.awaitTrouble("failed: A of ollama.test.: no answer from 127.0.0.1 in 100 ms");
        assertThat(heard.sets).isEmpty();

        dns.a(HOST, "10.0.0.1");
        heard.awaitAll("10.0.0.1:80");
        heard.awaitTrouble("recovered");
    }

    @Test
    void aFamilyThatFailsKeepsItsAddressesWhileTheOtherChanges() {
        dns.a(HOST, "10.0.0.1");
        dns.aaaa(HOST, "fd00::1");
        discover(HOST + ":80");
        heard.awaitAll("10.0.0.1:80", "fd00::1:80");

        dns.fail(HOST, AAAA, DnsResponseCode.SERVFAIL);
        dns.a(HOST, "10.0.0.2");
        heard.awaitAll("10.0.0.2:80", "fd00::1:80");
        heard.awaitTrouble("failed: AAAA of ollama.test.: ServFail(2) from 127.0.0.1");

        dns.aaaa(HOST);
        heard.awaitAll("10.0.0.2:80");
        heard.awaitTrouble("recovered");
    }

    @Test
    void aCutOffAnswerComesByTcp() {
        String[] many = addresses(100);
        dns.a(HOST, many);

        discover(HOST + ":80");

        heard.awaitAll(Stream.of(many).map(address -> address + ":80").toArray(String[]::new));
        assertThat(dns.askedByTcp()).isPositive();
        assertThat(heard.troubles).isEmpty();
    }

    @Test
    void aCutOffAnswerIsNotTakenForTheWholeOne() {
        String[] many = addresses(100);
        dns.a(HOST, many);
        discover(HOST + ":80");
        Await.until("all found", SOON, () -> heard.sets.size() == 1);

        dns.closeTcp();
        heard.awaitTrouble("failed: A of ollama.test.: answer of 127.0.0.1 cut off, and not to be had by TCP");
        awaitLookUps(5);

        assertThat(heard.sets).hasSize(1);
        assertThat(heard.last()).hasSize(100);
    }

    @Test
    void moreThanTheMostAreLeftOutWithOneWarning() {
        Logger logger = (Logger) LoggerFactory.getLogger(Discovery.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        toClose.add(() -> logger.detachAppender(log));
        dns.a(HOST, addresses(1500));

        discover(HOST + ":80");
        awaitLookUps(5);

        assertThat(heard.sets).hasSize(1);
        assertThat(heard.last()).hasSize(Discovery.MAX_FOUND);
        assertThat(Heard.texts(heard.last()))
                .startsWith("10.0.0.0:80", "10.0.0.1:80")
                .contains("10.0.3.231:80");
        assertThat(log.list).hasSize(1).allSatisfy(line -> {
            assertThat(line.getLevel()).isEqualTo(Level.WARN);
            assertThat(line.getFormattedMessage())
                    .isEqualTo("discovery of ollama.test:80 finds more than 1000 addresses: the others are left out");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.1:80", "[fd00::1]:80"})
    void anAddressIsItself(String address) {
        discover(address);

        heard.awaitAll(address.replace("[", "").replace("]", ""));
        assertThat(dns.asked()).isZero();
    }

    @Test
    void theSystemsHostsFileComesBeforeTheNameServers() {
        toClose.add(started(new Discovery(DiscoveryName.parse("localhost:80"), OFTEN, loop, heard)));

        Await.until("found", SOON, () -> !heard.sets.isEmpty());
        assertThat(heard.last()).allMatch(found -> found.address().getAddress().isLoopbackAddress());
        assertThat(Heard.texts(heard.last())).contains("127.0.0.1:80");
    }

    @Test
    void anEventLoopOfAnotherTransportIsRefused() {
        EventLoop other = new DefaultEventLoop();
        try {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new Discovery(DiscoveryName.parse("localhost:80"), OFTEN, other, heard))
                    .withMessageEndingWith("(expected: one of NIO)");
        } finally {
            other.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    @Test
    void aShortNameIsSearchedFor() {
        search = SearchList.parse(List.of("search ns.svc.test svc.test", "options ndots:5"));
        dns.a("ollama.svc.test", "10.0.0.1");

        discover("ollama:80");

        heard.awaitAll("10.0.0.1:80");
        assertThat(heard.last().get(0).host()).isEqualTo("ollama");
        assertThat(dns.asked("ollama.ns.svc.test", AAAA)).isPositive();
        assertThat(dns.asked("ollama", A)).isZero();
    }

    @Test
    void bothFamiliesComeFromOneDomain() {
        search = SearchList.parse(List.of("search svc.test corp.test"));
        dns.a("ollama.svc.test", "10.0.0.1");
        dns.aaaa("ollama.corp.test", "fd00::bad");

        discover("ollama:80");

        heard.awaitAll("10.0.0.1:80");
        assertThat(dns.asked("ollama.corp.test", AAAA)).isZero();
    }

    @Test
    void aFailureEndsTheSearch() {
        search = SearchList.parse(List.of("search svc.test corp.test"));
        dns.fail("ollama.svc.test", A, DnsResponseCode.SERVFAIL);
        dns.a("ollama.corp.test", "10.0.0.66");

        discover("ollama:80");
        heard.awaitTrouble("failed: A of ollama.svc.test.: ServFail(2) from 127.0.0.1");

        assertThat(dns.asked("ollama.corp.test", A)).isZero();
        assertThat(heard.sets).isEmpty();
    }

    @Test
    void theNextNameServerIsAskedWhenOneFails() {
        StubDns second = new StubDns(loop);
        toClose.add(second);
        dns.fail(HOST, A, DnsResponseCode.SERVFAIL);
        dns.fail(HOST, AAAA, DnsResponseCode.REFUSED);
        second.a(HOST, "10.0.0.1");

        discover(HOST + ":80", heard, dns.address(), second.address());

        heard.awaitAll("10.0.0.1:80");
        assertThat(heard.troubles).isEmpty();
    }

    @Test
    void aFaultOfTheListenerIsNotTheEnd() {
        dns.a(HOST, "10.0.0.1");
        AtomicInteger faults = new AtomicInteger();
        Logger logger = (Logger) LoggerFactory.getLogger(Discovery.class);
        Level level = logger.getLevel();
        logger.setLevel(Level.OFF);
        toClose.add(() -> logger.setLevel(level));

        discover(
                HOST + ":80",
                new DiscoveryListener() {
                    @Override
                    public void onFound(List<Found> all) {
                        if (faults.incrementAndGet() < 3) {
                            throw new IllegalStateException("not now");
                        }
                        heard.onFound(all);
                    }

                    @Override
                    public void onFailed(String reason) {
                        heard.onFailed(reason);
                    }

                    @Override
                    public void onRecovered() {
                        heard.onRecovered();
                    }
                },
                dns.address());

        heard.awaitAll("10.0.0.1:80");
        assertThat(faults).hasValue(3);
    }

    @Test
    void asksNoMoreAfterItsClose() {
        dns.a(HOST, "10.0.0.1");
        dns.a("other.test", "10.0.0.9");
        Discovery closed = discover(HOST + ":80");
        heard.awaitAll("10.0.0.1:80");

        int asked = loop.submit(() -> {
                    closed.close();
                    return dns.asked(HOST, A);
                })
                .syncUninterruptibly()
                .getNow();
        dns.a(HOST, "10.0.0.2");
        discover("other.test:80", new Heard(), dns.address());
        int before = dns.asked("other.test", A);
        Await.until("others' look-ups", SOON, () -> dns.asked("other.test", A) > before + 10);

        // One question may have been on its way.
        assertThat(dns.asked(HOST, A)).isLessThanOrEqualTo(asked + 1);
        assertThat(heard.sets).hasSize(1);
    }

    @Test
    void closesAfterItsEventLoop() {
        MultiThreadIoEventLoopGroup brief = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        Discovery discovery = new Discovery(DiscoveryName.parse("10.0.0.1:80"), OFTEN, brief.next(), heard);
        discovery.start();
        heard.awaitAll("10.0.0.1:80");
        brief.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();

        discovery.close();

        assertThat(heard.troubles).isEmpty();
    }
}
