package io.drover.health;

import io.drover.backend.Backend;
import io.drover.backend.BackendState;
import io.drover.backend.Cluster;
import io.drover.backend.Membership;
import io.drover.config.ConfigException;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.config.DroverConfig;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** Backends for tests, and what was told of them, {@code "DOWN connection refused"}, and of their models. */
final class Herd {
    final DroverConfig config;
    final Cluster cluster;
    final List<String> told = new CopyOnWriteArrayList<>();
    final List<String> changed = new CopyOnWriteArrayList<>();

    Herd(DroverConfig config) {
        this.config = config;
        this.cluster = new Membership(
                        (backend, from, to, reason) -> told.add(to + " " + reason),
                        (model, before, now) -> changed.add(model + " " + before + " " + now))
                .apply(config.backends(), config.health(), System.nanoTime());
    }

    /** What is back is back in full at once: how a share grows is not the prober's concern. */
    static Herd of(Map<String, String> keys, String... urls) {
        Map<String, String> all = new HashMap<>(keys);
        all.put("health.slow-start", "0");
        try {
            return new Herd(ConfigLoader.load(new ConfigSource(Optional.empty(), Map.of(), List.of(urls), all))
                    .config());
        } catch (ConfigException wrong) {
            throw new IllegalArgumentException(wrong);
        }
    }

    /** Tells those backends their address whose host is one; names stay unknown until the test tells them. */
    void resolveNumeric() {
        for (Backend backend : cluster.backends()) {
            InetAddress literal = NetUtil.createInetAddressFromIpAddressString(
                    backend.config().url().getHost());
            if (literal != null) {
                backend.onResolved(new InetAddress[] {literal});
            }
        }
    }

    Backend get(int index) {
        return cluster.backends().get(index);
    }

    BackendState state(int index) {
        return get(index).state(System.nanoTime());
    }
}
