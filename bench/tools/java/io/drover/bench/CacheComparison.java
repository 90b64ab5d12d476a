package io.drover.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The groups about answers that are kept: hits, misses, and a Redis that fails. */
final class CacheComparison {
    private static final int DELAYED_PORT = 7122;
    /** That has a fault in its middle. */
    private static final Duration SHORTEST = Duration.ofSeconds(2);

    private static final Duration DELAY = Duration.ofSeconds(2);

    /** The peers' programs, by name or path. */
    record Peers(String nginx, String redis, String node) {}

    /** Goes round with some contenders. */
    interface Rounds {
        void run(List<Contender> contenders, List<Measurement> measurements) throws IOException;
    }

    private final CacheContenders known;
    private final Peers peers;
    private final CachedRequests.Load load;
    private final Path folder;
    private final PrintWriter err;
    private final Rounds rounds;

    CacheComparison(
            CacheContenders known, Peers peers, CachedRequests.Load load, Path folder, PrintWriter err, Rounds rounds) {
        this.known = known;
        this.peers = peers;
        this.load = load;
        this.folder = folder;
        this.err = err;
        this.rounds = rounds;
    }

    private Optional<String> redisProgram() {
        Optional<String> program = Programs.locate(peers.redis());
        if (program.isEmpty()) {
            err.println("redis-server is not installed: what needs Redis is left out");
        }
        return program;
    }

    /** Hits and misses. */
    void requests() throws IOException {
        Optional<String> program = redisProgram();
        // Ratios are to the first one of those that a group is about.
        List<Contender> contenders = new ArrayList<>(List.of(known.memory()));
        program.ifPresent(redis -> contenders.add(known.redis(RedisServer.PORT)));
        contenders.add(known.off());
        known.nginx(peers.nginx()).ifPresentOrElse(contenders::add, () -> leaveOut("nginx"));
        if (program.isEmpty()) {
            rounds.run(contenders, List.of(hits(), misses(), streamedMisses()));
            return;
        }
        known.gateway(peers.node(), RedisServer.PORT).ifPresentOrElse(contenders::add, () -> leaveOut("node"));
        try (Children children = new Children()) {
            start(children, program.get());
            rounds.run(contenders, List.of(hits(), redisHits(), misses(), streamedMisses(), redisMisses()));
        }
    }

    private RedisServer start(Children children, String program) throws IOException {
        RedisServer redis = new RedisServer(program, folder);
        children.add(redis::close);
        redis.start();
        return redis;
    }

    private void leaveOut(String name) {
        err.println(name + " is not installed: left out");
    }

    private Measurement hits() {
        return new CachedRequests(
                CachedRequests.Kind.MEMORY,
                load,
                List.of(CacheContenders.MEMORY, CacheContenders.OFF, CacheContenders.NGINX, CacheContenders.GATEWAY));
    }

    private Measurement redisHits() {
        return new CachedRequests(
                CachedRequests.Kind.REDIS, load, List.of(CacheContenders.REDIS, CacheContenders.GATEWAY));
    }

    private Measurement misses() {
        return new CachedRequests(
                CachedRequests.Kind.MISSES,
                load,
                List.of(CacheContenders.MEMORY, CacheContenders.OFF, CacheContenders.NGINX));
    }

    private Measurement streamedMisses() {
        return new StreamedMisses(load, List.of(CacheContenders.MEMORY, CacheContenders.OFF, CacheContenders.NGINX));
    }

    private Measurement redisMisses() {
        return new CachedRequests(
                CachedRequests.Kind.REDIS_MISSES,
                load,
                List.of(CacheContenders.REDIS, CacheContenders.OFF, CacheContenders.GATEWAY));
    }

    /** Redis stopped, restarted, frozen and slow. */
    void faults() throws IOException {
        Optional<String> program = redisProgram();
        if (program.isEmpty()) {
            return;
        }
        Duration time = load.time().compareTo(SHORTEST) < 0 ? SHORTEST : load.time();
        try (Children children = new Children()) {
            RedisServer redis = start(children, program.get());
            List<RedisFaults.Fault> ended = List.of(
                    new RedisFaults.Fault("stopped", redis::stop, redis::start),
                    new RedisFaults.Fault("restarted", redis::restart, () -> {}),
                    new RedisFaults.Fault("frozen", redis::freeze, redis::thaw));
            rounds.run(faulty(RedisServer.PORT), List.of(new RedisFaults(ended, load.loops(), time)));
            // The others do not lead through it: a port that accepts whoever comes would not be a Redis that is gone.
            try (DelayedPort port = DelayedPort.open(load.loops(), DELAYED_PORT, RedisServer.PORT)) {
                List<RedisFaults.Fault> delayed = List.of(new RedisFaults.Fault(
                        "answers in 2 s", () -> port.delay(DELAY), () -> port.delay(Duration.ZERO)));
                rounds.run(faulty(DELAYED_PORT), List.of(new RedisFaults(delayed, load.loops(), time)));
            }
        }
    }

    private List<Contender> faulty(int port) {
        List<Contender> contenders = new ArrayList<>(List.of(known.redis(port)));
        known.gateway(peers.node(), port).ifPresentOrElse(contenders::add, () -> leaveOut("node"));
        return contenders;
    }
}
