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

    /** Tokens per second of each stream; 0: as fast as possible. */
    volatile double tokensPerSecond;

    /** @param timers where loads and expiries are timed */
    Simulation(SimulatedOllama.Settings settings, EventLoop timers) {
        this.settings = settings;
        this.tokensPerSecond = settings.tokensPerSecond();
        this.stamp = new Stamp(settings.hasFixedClock());
        this.counters = new Counters(settings.remembered());
        this.store = new ModelStore(settings.models(), stamp);
        this.scheduler = new Scheduler(settings, timers);
        this.routes = new Routes(this);
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
