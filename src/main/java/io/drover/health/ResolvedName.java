package io.drover.health;

import io.drover.backend.Backend;
import io.drover.health.NameResolver.Lookup;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A host name, the addresses it was last found to have, and the backends there. Refreshed by one thread at a time. */
final class ResolvedName {
    private static final Logger LOG = LoggerFactory.getLogger(ResolvedName.class);

    private final String host;
    private final Lookup lookup;
    private final List<Backend> backends = new ArrayList<>();
    private Set<InetAddress> known = Set.of();
    private boolean failing;

    ResolvedName(String host, Lookup lookup) {
        this.host = host;
        this.lookup = lookup;
    }

    void add(Backend backend) {
        backends.add(backend);
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

    private void onFound(InetAddress[] found) {
        Set<InetAddress> addresses = Set.copyOf(Arrays.asList(found));
        // Many name servers rotate the order with each answer; a backend must not wander from host to host with it.
        boolean changed = !addresses.equals(known);
        if (changed) {
            backends.forEach(backend -> backend.onResolved(found));
        }
        if (failing || (changed && !known.isEmpty())) {
            LOG.info("backend name {} has the address {}, had {}", host, text(addresses), text(known));
        }
        known = addresses;
        failing = false;
    }

    private void onFailed(Exception cause) {
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
