package io.drover.health;

import io.drover.config.DiscoveryName;
import io.netty.handler.codec.dns.DnsRecordType;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One look-up of everything that is behind a {@link DiscoveryName}. Belongs to the event loop. */
final class DiscoveryRound {
    /** Bounds the sockets, two for each, and the burst that a name server gets for a service of many hosts. */
    private static final int HOSTS_AT_ONCE = 16;

    /**
     * What came of it.
     *
     * @param all in the order of {@link Found#ORDER}; empty if nothing was found, and then {@code reason} says why
     * @param failed whether something is not known; its last known addresses are among {@code all}
     * @param reason in a few words; empty if all is well
     * @param hosts what is known of each host, for the next round
     */
    record Result(List<Found> all, boolean failed, String reason, Map<String, HostAddresses> hosts) {
        static Result nothing(String reason) {
            return new Result(List.of(), true, reason, Map.of());
        }
    }

    private final NameServers nameServers;
    private final HostLookUp lookUp;
    private final Map<String, HostAddresses> earlier;
    private final Map<String, HostAddresses> hosts = new LinkedHashMap<>();
    private final Queue<String> waiting = new ArrayDeque<>();
    private final CompletableFuture<Map<String, HostAddresses>> lookedUp = new CompletableFuture<>();
    private int running;
    private boolean filling;

    /** @param earlier the hosts of the round before; empty for the first */
    DiscoveryRound(NameServers nameServers, HostLookUp lookUp, Map<String, HostAddresses> earlier) {
        this.nameServers = nameServers;
        this.lookUp = lookUp;
        this.earlier = earlier;
    }

    /**
     * Runs it; once only.
     *
     * @param maxTargets more hosts and ports of a service than this are left out, those of the lowest priority first
     * @return completes on the event loop, maybe at once
     */
    CompletableFuture<Result> run(DiscoveryName name, int maxTargets) {
        if (!name.isService()) {
            return addresses(List.of(new Target(name.name(), name.port(), 1, 0)));
        }
        return nameServers.ask(name.name(), DnsRecordType.SRV, Target::decode).thenCompose(answer -> {
            List<Target> targets = answer.records().stream()
                    .filter(Target::exists)
                    .sorted(Target.ORDER)
                    .limit(maxTargets)
                    .toList();
            if (targets.isEmpty()) {
                return CompletableFuture.completedFuture(Result.nothing(
                        answer.records().isEmpty() ? answer.reason() : name + ": service declared unavailable"));
            }
            return addresses(targets);
        });
    }

    private CompletableFuture<Result> addresses(List<Target> targets) {
        waiting.addAll(new LinkedHashSet<>(targets.stream().map(Target::host).toList()));
        fill();
        return lookedUp.thenApply(known -> result(targets));
    }

    private void fill() {
        // A look-up that ends at once comes back here: as a loop, a thousand of them need no deeper stack than one.
        if (filling) {
            return;
        }
        filling = true;
        while (running < HOSTS_AT_ONCE && !waiting.isEmpty()) {
            String host = waiting.remove();
            running++;
            lookUp.addresses(host).whenComplete((found, thrown) -> onLookedUp(host, found, thrown));
        }
        filling = false;
        if (running == 0) {
            lookedUp.complete(hosts);
        }
    }

    private void onLookedUp(String host, @Nullable HostAddresses found, @Nullable Throwable thrown) {
        running--;
        HostAddresses now = found != null
                ? found
                : new HostAddresses(Answer.unknown(host + ": " + thrown), Answer.unknown(host + ": " + thrown));
        hosts.put(host, now.orAddressesOf(earlier.getOrDefault(host, HostAddresses.NONE)));
        fill();
    }

    private Result result(List<Target> targets) {
        int primary = targets.get(0).priority();
        TreeSet<Found> sorted = new TreeSet<>(Found.ORDER);
        String failure = null;
        String reason = "";
        for (Target target : targets) {
            HostAddresses host = hosts.getOrDefault(target.host(), HostAddresses.NONE);
            host.all()
                    .map(address -> new Found(
                            new InetSocketAddress(address, target.port()),
                            target.plainHost(),
                            target.weight(),
                            target.priority() > primary))
                    .forEach(sorted::add);
            failure = failure == null ? host.failure() : failure;
            reason = reason.isEmpty() ? host.v4().reason() : reason;
        }
        // Two hosts may share an address: the first one has it, a primary before a backup.
        Map<InetSocketAddress, Found> unique = new LinkedHashMap<>();
        sorted.forEach(found -> unique.putIfAbsent(found.address(), found));
        List<Found> all = List.copyOf(new ArrayList<>(unique.values()));
        boolean failed = failure != null || all.isEmpty();
        return new Result(all, failed, failure != null ? failure : failed ? reason : "", hosts);
    }
}
