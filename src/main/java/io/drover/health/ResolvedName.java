package io.drover.health;

import io.drover.backend.Backend;
import io.drover.health.NameResolver.Lookup;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A host name, the addresses it was last found to have, and the backends there. Refreshed by one thread at a time. */
final class ResolvedName {
    private static final Logger LOG = LoggerFactory.getLogger(ResolvedName.class);

    private final String host;
    private final Lookup lookup;
    private final List<Backend> backends = new ArrayList<>();
    private Set<InetAddress> known = Set.of();
    private InetAddress[] told = {};
    private @Nullable Future<?> lookUps;
    private boolean failing;

    ResolvedName(String host, Lookup lookup) {
        this.host = host;
        this.lookup = lookup;
    }

    /** @param future cancelled when the last backend has gone */
    synchronized void lookUpBy(Future<?> future) {
        lookUps = future;
    }

    /** What is known already, the backend is told at once. */
    synchronized void add(Backend backend) {
        backends.add(backend);
        if (told.length > 0) {
            backend.onResolved(told);
        } else if (failing) {
            backend.onLookupFailed();
        }
    }

    /** Whether that was the last one, so that nothing is looked up any more. */
    synchronized boolean remove(Backend backend) {
        backends.remove(backend);
        if (backends.isEmpty() && lookUps != null) {
            lookUps.cancel(false);
        }
        return backends.isEmpty();
    }

    /** Looks the name up and tells the backends if its addresses have changed. Never throws: that would be the last. */
    void refresh() {
        InetAddress[] found;
        try {
            found = lookup.addresses(host);
        } catch (UnknownHostException | RuntimeException failed) {
            onFailed(failed);
            return;
        }
        if (found.length == 0) {
            onFailed(new UnknownHostException(host));
        } else {
            onFound(found);
        }
    }

    private synchronized void onFound(InetAddress[] found) {
        Set<InetAddress> addresses = Set.copyOf(Arrays.asList(found));
        // Many name servers rotate the order with each answer; a backend must not wander from host to host with it.
        boolean changed = !addresses.equals(known);
        if (changed) {
            told = found;
            backends.forEach(backend -> backend.onResolved(found));
        }
        if (failing || (changed && !known.isEmpty())) {
            LOG.info("backend name {} has the address {}, had {}", host, text(addresses), text(known));
        }
        known = addresses;
        failing = false;
    }

    private synchronized void onFailed(Exception cause) {
        if (!failing) {
            LOG.warn("backend name {} not resolved: {}; its address remains {}", host, cause, text(known));
        }
        failing = true;
        backends.forEach(Backend::onLookupFailed);
    }

    private static String text(Set<InetAddress> addresses) {
        return addresses.isEmpty()
                ? "unknown"
                : String.join(
                        ", ",
                        addresses.stream()
                                .map(InetAddress::getHostAddress)
                                .sorted()
                                .toList());
    }
}
