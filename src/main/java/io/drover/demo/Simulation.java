package io.drover.demo;

import io.netty.channel.EventLoop;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What all connections of one simulated server share. Safe for any thread. */
final class Simulation {
    final SimulatedOllama.Settings settings;
    final Stamp stamp;
    final Counters counters;
    final FaultPlan faults = new FaultPlan();
    final ModelStore store;
    final Scheduler scheduler;
    final Routes routes;
    final Set<ServedConnection> connections = ConcurrentHashMap.newKeySet();
    private final Map<EventLoop, Pacer> pacers = new ConcurrentHashMap<>();
    private volatile boolean frozen;
    private volatile double nanosPerToken;

    /** @param timers where loads and expiries are timed */
    Simulation(SimulatedOllama.Settings settings, EventLoop timers) {
        this.settings = settings;
        this.stamp = new Stamp(settings.hasFixedClock());
        this.counters = new Counters(settings.remembered());
        this.store = new ModelStore(settings.models(), stamp);
        this.scheduler = new Scheduler(settings, timers);
        this.routes = new Routes(this);
        pace(settings.tokensPerSecond());
    }

    /** @param tokensPerSecond of each stream; 0: as fast as possible */
    void pace(double tokensPerSecond) {
        nanosPerToken = tokensPerSecond == 0 ? 0 : 1e9 / tokensPerSecond;
    }

    /** 0: as fast as possible. */
    double nanosPerToken() {
        return nanosPerToken;
    }

    Pacer pacer(EventLoop loop) {
        return pacers.computeIfAbsent(loop, l -> new Pacer(l, () -> frozen));
    }

    boolean isFrozen() {
        return frozen;
    }

    void freeze(boolean on) {
        frozen = on;
        connections.forEach(ServedConnection::adjustReading);
    }
}
