package io.drover.backend;

import io.drover.config.DroverConfig.ActiveHealth;
import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.BackendTls;
import io.drover.config.DroverConfig.DegradedHealth;
import io.drover.config.DroverConfig.Health;
import io.drover.config.DroverConfig.PassiveHealth;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Backends for tests, named b0, b1 and so on: three failures eject for 30 s, two probes raise, three fell. */
final class Herd {
    static final Health HEALTH = new Health(
            new ActiveHealth(Duration.ofSeconds(5), Duration.ofSeconds(2), 2, 3),
            new PassiveHealth(3, Duration.ofSeconds(30), Duration.ofMinutes(5), 50),
            new DegradedHealth(25, 5, 30),
            Duration.ofSeconds(60),
            Duration.ofSeconds(20));
    static final long EJECT_NANOS = Duration.ofSeconds(30).toNanos();
    static final BackendObserver NOBODY = (backend, from, to, reason) -> {};
    static final ModelObserver NO_MODELS = (model, before, now) -> {};

    private final List<Backend> backends = new ArrayList<>();

    static Herd of(int... weights) {
        Herd herd = new Herd();
        for (int weight : weights) {
            herd.add(weight, false);
        }
        return herd;
    }

    static Herd equal(int size) {
        Herd herd = new Herd();
        for (int i = 0; i < size; i++) {
            herd.add(1, false);
        }
        return herd;
    }

    Herd withBackup() {
        add(1, true);
        return this;
    }

    private void add(int weight, boolean backup) {
        backends.add(backend(backends.size(), weight, backup, HEALTH, NOBODY));
    }

    static Backend backend(int index, int weight, boolean backup, Health health, BackendObserver observer) {
        return new Backend(config(index, weight, backup), index, health, new EjectionLimit(), observer, NO_MODELS);
    }

    static BackendConfig config(int index, int weight, boolean backup) {
        String authority = "host" + index + ":11434";
        return new BackendConfig(
                URI.create("http://" + authority),
                "b" + index,
                weight,
                backup,
                authority,
                true,
                Optional.empty(),
                BackendTls.DEFAULT);
    }

    /** Any backend will do. */
    static Wanted anything() {
        return new Wanted(null, new Tried());
    }

    /** A backend has listed these models, the first of them in memory too. */
    Herd lists(int index, String loaded, String... others) {
        Map<String, String> disk = new HashMap<>();
        disk.put(loaded, "");
        for (String other : others) {
            disk.put(other, "");
        }
        get(index).onModels(Models.UNKNOWN.withListed(disk).withInMemory(Map.of(loaded, "")));
        return this;
    }

    Backend get(int index) {
        return backends.get(index);
    }

    Cluster cluster() {
        return Cluster.of(backends);
    }

    /** How many requests run on each. */
    List<Integer> inFlight() {
        return backends.stream().map(Backend::inFlight).toList();
    }
}
