package io.drover.health;

import io.drover.config.DiscoveryName;
import io.drover.health.Discovery.Sources;
import io.drover.testing.Await;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.resolver.HostsFileEntriesProvider;
import io.netty.resolver.dns.SequentialDnsServerAddressStreamProvider;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.File;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** A discovery against name servers of a test's own, and what it told. */
abstract class DiscoveryRig {
    static final Duration SOON = Duration.ofSeconds(20);
    static final Duration OFTEN = Duration.ofMillis(5);

    /** Long enough that no busy machine makes it a time-out. */
    static final Duration PATIENT = Duration.ofSeconds(10);

    static final Duration IMPATIENT = Duration.ofMillis(100);
    static final String HOST = "ollama.test";
    static final String SERVICE = "_ollama._tcp.test";
    static final DnsRecordType A = DnsRecordType.A;
    static final DnsRecordType AAAA = DnsRecordType.AAAA;
    static final DnsRecordType SRV = DnsRecordType.SRV;

    @SuppressWarnings("NullAway.Init")
    private static MultiThreadIoEventLoopGroup group;

    final Heard heard = new Heard();
    final List<AutoCloseable> toClose = new ArrayList<>();
    SearchList search = SearchList.NONE;
    Duration timeout = PATIENT;

    @SuppressWarnings("NullAway.Init")
    EventLoop loop;

    @SuppressWarnings("NullAway.Init")
    StubDns dns;

    @BeforeAll
    static void startLoop() {
        group = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("discovery-test", true), NioIoHandler.newFactory());
    }

    @AfterAll
    static void stopLoop() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @BeforeEach
    void start() {
        loop = group.next();
        dns = new StubDns(loop);
        toClose.add(dns);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : toClose) {
            each.close();
        }
    }

    Discovery discover(String name) {
        return discover(name, heard, dns.address());
    }

    Discovery discover(String name, DiscoveryListener listener, InetSocketAddress... servers) {
        NameServers nameServers = new NameServers(loop, new SequentialDnsServerAddressStreamProvider(servers), timeout);
        Sources sources = new Sources(
                nameServers,
                HostsFileEntriesProvider.parser().parseSilently(new File("no such file"), StandardCharsets.US_ASCII),
                search);
        Discovery discovery = new Discovery(DiscoveryName.parse(name), OFTEN, loop, listener, sources);
        toClose.add(0, discovery);
        return started(discovery);
    }

    static Discovery started(Discovery discovery) {
        discovery.start();
        return discovery;
    }

    /** So many whole look-ups from now on, and what came of them was told. */
    void awaitLookUps(int count) {
        int before = Math.max(dns.asked(HOST, A), dns.asked(SERVICE, SRV));
        // The one under way does not count, and the one begun last may not have ended.
        Await.until(
                count + " look-ups",
                SOON,
                () -> Math.max(dns.asked(HOST, A), dns.asked(SERVICE, SRV)) >= before + 2 * (count + 2));
    }

    static String[] addresses(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "10.0." + i / 256 + "." + i % 256)
                .toArray(String[]::new);
    }

    static InetSocketAddress at(String address, int port) {
        InetAddress inet = Objects.requireNonNull(NetUtil.createInetAddressFromIpAddressString(address));
        return new InetSocketAddress(inet, port);
    }
}
