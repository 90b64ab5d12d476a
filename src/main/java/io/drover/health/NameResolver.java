package io.drover.health;

import io.drover.backend.Backend;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Looks up the backends' host names, again and again, and gives each backend the addresses found. Addresses given as
 * numbers need no look-up: they are known at once.
 *
 * <p>Uses the JDK's resolver, which honours {@code /etc/hosts} and the name service switch but blocks: therefore a few
 * threads of its own, so that one slow name does not hold up the others. How long answers are remembered is up to the
 * JDK's {@code networkaddress.cache.ttl}.
 */
final class NameResolver implements AutoCloseable {
    /** Between the end of a look-up and the next of the same name. */
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final int MAX_THREADS = 8;

    /** How a name is looked up; blocks. */
    @FunctionalInterface
    interface Lookup {
        /** The addresses in the order of preference. */
        InetAddress[] addresses(String host) throws UnknownHostException;
    }

    private final ScheduledThreadPoolExecutor threads =
            new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("name-resolver", true));
    private final Map<String, ResolvedName> names = new HashMap<>();
    private final Lookup lookup;
    private final Duration interval;

    NameResolver() {
        this(InetAddress::getAllByName, INTERVAL);
    }

    NameResolver(Lookup lookup, Duration interval) {
        this.lookup = lookup;
        this.interval = interval;
        threads.setRemoveOnCancelPolicy(true);
    }

    /** Starts the first look-ups of these backends' names; does not wait for them. */
    synchronized void add(Collection<Backend> backends) {
        List<ResolvedName> fresh = new ArrayList<>();
        for (Backend backend : backends) {
            String host = backend.config().url().getHost();
            InetAddress literal = NetUtil.createInetAddressFromIpAddressString(host);
            if (literal != null) {
                backend.onResolved(new InetAddress[] {literal});
                continue;
            }
            ResolvedName name = names.get(host);
            if (name == null) {
                name = new ResolvedName(host, lookup);
                names.put(host, name);
                fresh.add(name);
            }
            name.add(backend);
        }
        threads.setCorePoolSize(Math.max(1, Math.min(MAX_THREADS, names.size())));
        for (ResolvedName name : fresh) {
            name.lookUpBy(threads.scheduleWithFixedDelay(name::refresh, 0, interval.toNanos(), TimeUnit.NANOSECONDS));
        }
    }

    /** This backend's name is looked up no more, unless others have it too. */
    synchronized void remove(Backend backend) {
        String host = backend.config().url().getHost();
        ResolvedName name = names.get(host);
        if (name != null && name.remove(backend)) {
            names.remove(host);
        }
    }

    /** Looks up no more. Does not wait for a look-up under way: nothing can interrupt it, and its thread is a daemon. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
