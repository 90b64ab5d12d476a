package io.drover.health;

import io.drover.backend.Backend;
import io.drover.backend.Cluster;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Looks up the backends' host names, again and again, and gives each backend the addresses found. Addresses given as
 * numbers need no look-up: they are known as soon as this is made.
 *
 * <p>Uses the JDK's resolver, which honours {@code /etc/hosts} and the name service switch but blocks: therefore a few
 * threads of its own, so that one slow name does not hold up the others. How long answers are remembered is up to the
 * JDK's {@code networkaddress.cache.ttl}.
 */
public final class NameResolver implements AutoCloseable {
    /** Between the end of a look-up and the next of the same name. */
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final int MAX_THREADS = 8;

    /** How a name is looked up; blocks. */
    @FunctionalInterface
    interface Lookup {
        /** The addresses in the order of preference. */
        InetAddress[] addresses(String host) throws UnknownHostException;
    }

    private final ScheduledThreadPoolExecutor threads;
    private final List<ResolvedName> names;
    private final Duration interval;

    public NameResolver(Cluster cluster) {
        this(cluster, InetAddress::getAllByName, INTERVAL);
    }

    NameResolver(Cluster cluster, Lookup lookup, Duration interval) {
        this.interval = interval;
        Map<String, ResolvedName> byHost = new LinkedHashMap<>();
        for (Backend backend : cluster.backends()) {
            String host = backend.config().url().getHost();
            InetAddress literal = NetUtil.createInetAddressFromIpAddressString(host);
            if (literal != null) {
                backend.onResolved(new InetAddress[] {literal});
            } else {
                byHost.computeIfAbsent(host, name -> new ResolvedName(name, lookup))
                        .add(backend);
            }
        }
        names = List.copyOf(byHost.values());
        threads = new ScheduledThreadPoolExecutor(
                Math.max(1, Math.min(MAX_THREADS, names.size())), new DefaultThreadFactory("name-resolver", true));
    }

    /** Starts the first look-ups; does not wait for them. */
    public void start() {
        for (ResolvedName name : names) {
            threads.scheduleWithFixedDelay(name::refresh, 0, interval.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /** Looks up no more. Does not wait for a look-up under way: nothing can interrupt it, and its thread is a daemon. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
