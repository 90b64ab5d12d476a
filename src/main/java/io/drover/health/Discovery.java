package io.drover.health;

import io.drover.config.DiscoveryName;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.nio.NioIoHandler;
import io.netty.resolver.HostsFileEntriesProvider;
import io.netty.resolver.dns.DnsServerAddressStreamProviders;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks a name up, again and again, and tells a listener which backends are behind it.
 *
 * <p>Only an orderly answer takes backends away, and never the last: whatever a name server fails to tell stays as it
 * was, and so does everything when it tells that there is nothing. An outage of DNS must not become one of the herd, and
 * a backend that is really gone is found out by its probes.
 *
 * <p>Everything happens on one event loop; the methods may be called from any thread. The system's hosts file and
 * domains to search are read when this is made; its name servers are read anew by Netty every few minutes.
 */
public final class Discovery implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Discovery.class);

    /** More backends than this are a mistake, or somebody else's answer. */
    static final int MAX_FOUND = 1000;

    /** For one question to one server. */
    private static final Duration TIMEOUT = Duration.ofSeconds(3);

    /** Of the interval, either way: replicas that started together shall not ask together for ever. */
    private static final double JITTER = 0.1;

    /** Where addresses are looked up. */
    record Sources(NameServers nameServers, HostsFileEntriesProvider hostsFile, SearchList search) {}

    private final DiscoveryName name;
    private final Duration interval;
    private final EventLoop loop;
    private final DiscoveryListener listener;
    private final NameServers nameServers;
    private final HostLookUp lookUp;
    private Map<String, HostAddresses> hosts = Map.of();
    private List<Found> told = List.of();
    private boolean failing;
    private boolean overflowing;
    private boolean closed;
    private @Nullable Future<?> next;

    /**
     * Reads small files, so not for an event loop.
     *
     * @param interval from the end of a look-up to the next, give or take a tenth
     * @param loop one of NIO, where everything runs; it stays the caller's and must outlive this
     */
    public Discovery(DiscoveryName name, Duration interval, EventLoop loop, DiscoveryListener listener) {
        this(name, interval, loop, listener, ofSystem(loop));
    }

    Discovery(DiscoveryName name, Duration interval, EventLoop loop, DiscoveryListener listener, Sources sources) {
        this.name = name;
        this.interval = interval;
        this.loop = loop;
        this.listener = listener;
        nameServers = sources.nameServers();
        lookUp = new HostLookUp(sources.nameServers(), sources.hostsFile(), sources.search());
    }

    private static Sources ofSystem(EventLoop loop) {
        if (!(loop instanceof IoEventLoop io) || !io.isIoType(NioIoHandler.class)) {
            throw new IllegalArgumentException("event loop: " + loop + " (expected: one of NIO)");
        }
        return new Sources(
                new NameServers(loop, DnsServerAddressStreamProviders.platformDefault(), TIMEOUT),
                HostsFileEntriesProvider.parser().parseSilently(),
                SearchList.ofSystem());
    }

    /** Starts the first look-up; does not wait for it. */
    public void start() {
        loop.execute(this::lookUp);
    }

    /** Looks up no more. Does not wait; called on the event loop, nothing is told after this. */
    @Override
    public void close() {
        if (loop.inEventLoop()) {
            end();
            return;
        }
        try {
            loop.execute(this::end);
        } catch (RejectedExecutionException ended) {
            LOG.debug("discovery of {} has ended with its event loop", name);
        }
    }

    private void end() {
        closed = true;
        nameServers.close();
        if (next != null) {
            next.cancel(false);
        }
    }

    private void lookUp() {
        if (!closed) {
            new DiscoveryRound(nameServers, lookUp, hosts)
                    .run(name, MAX_FOUND + 1)
                    .whenComplete(this::onEnd);
        }
    }

    private void onEnd(DiscoveryRound.@Nullable Result result, @Nullable Throwable thrown) {
        if (closed) {
            return;
        }
        try {
            tell(result == null ? DiscoveryRound.Result.nothing("internal error: " + thrown) : result);
        } catch (RuntimeException fault) {
            // A listener's mistake must not be the end of discovery.
            LOG.error("discovery of {}: a change was not taken", name, fault);
        }
        if (!closed) {
            double share = 1 + ThreadLocalRandom.current().nextDouble(-JITTER, JITTER);
            next = loop.schedule(this::lookUp, (long) (interval.toNanos() * share), TimeUnit.NANOSECONDS);
        }
    }

    private void tell(DiscoveryRound.Result result) {
        boolean began = result.failed() && !failing;
        boolean ended = !result.failed() && failing;
        failing = result.failed();
        if (ended) {
            listener.onRecovered();
        }
        if (!closed && !result.all().isEmpty()) {
            hosts = result.hosts();
            List<Found> all = bounded(result.all());
            if (!all.equals(told)) {
                listener.onFound(all);
                told = all;
            }
        }
        if (!closed && began) {
            listener.onFailed(result.reason());
        }
    }

    private List<Found> bounded(List<Found> all) {
        boolean over = all.size() > MAX_FOUND;
        if (over && !overflowing) {
            LOG.warn("discovery of {} finds more than {} addresses: the others are left out", name, MAX_FOUND);
        }
        overflowing = over;
        return over ? List.copyOf(all.subList(0, MAX_FOUND)) : all;
    }
}
