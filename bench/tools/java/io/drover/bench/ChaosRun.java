package io.drover.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Lets one disaster after the other come over the backends of one proxy, under load. */
final class ChaosRun {
    private static final Duration PERIOD = Duration.ofMillis(50);
    private static final Duration CALM = Duration.ofSeconds(4);
    private static final Duration SETTLE = Duration.ofSeconds(1);
    private static final Duration RECOVERY = Duration.ofSeconds(20);
    private static final long SHARE_WINDOW_NANOS = 1_000_000_000;
    private static final double NEARLY_FAIR = 0.75;

    /** What was under way when a process was stopped reaches it when it goes on; it is no sign of being back. */
    private static final Duration AFTER_THAW = Duration.ofMillis(50);

    private final String proxy;
    private final List<RunningBackend> herd;
    private final ChaosClients clients;
    private final Refusals refusals;
    private final @Nullable HerdWatch watch;
    private final boolean quick;
    private final PrintWriter progress;

    /** @param watch null where the proxy does not tell */
    ChaosRun(
            String proxy,
            List<RunningBackend> herd,
            ChaosClients clients,
            Refusals refusals,
            @Nullable HerdWatch watch,
            boolean quick,
            PrintWriter progress) {
        this.proxy = proxy;
        this.herd = herd;
        this.clients = clients;
        this.refusals = refusals;
        this.watch = watch;
        this.quick = quick;
        this.progress = progress;
    }

    /** Each strikes the next backend in turn. */
    List<Ordeal> run(List<Disaster> disasters) throws IOException {
        List<Ordeal> ordeals = new ArrayList<>();
        say("all well");
        Pause.of(quick ? CALM.dividedBy(2) : CALM);
        long begun = System.nanoTime();
        Pause.of(quick ? CALM.dividedBy(2) : CALM);
        long ended = System.nanoTime();
        ordeals.add(new Ordeal(
                proxy, null, "", begun, begun, ended, answers(begun, ended), List.of(), 0, 0, sightings(begun, ended)));
        for (Disaster disaster : disasters) {
            say(disaster.words());
            ordeals.add(suffer(disaster, herd.get((ordeals.size() - 1) % herd.size())));
        }
        return ordeals;
    }

    private void say(String what) {
        progress.println(proxy + ": " + what);
        progress.flush();
    }

    private Ordeal suffer(Disaster disaster, RunningBackend backend) throws IOException {
        long struck = System.nanoTime();
        Suffering suffering = new Suffering(disaster, backend, refusals);
        disaster.strike(backend);
        suffering.begin();
        long until = struck + disaster.lasts(quick).toNanos();
        do {
            suffering.look();
            Pause.of(PERIOD);
        } while (System.nanoTime() - until < 0);
        List<Long> toIt = suffering.end(struck);
        disaster.end(backend);
        long restored = System.nanoTime();
        long fair = restored + (disaster == Disaster.FREEZE ? AFTER_THAW.toNanos() : 0);
        long full = awaitFull(backend, fair);
        Pause.of(SETTLE);
        long ended = System.nanoTime();
        List<Long> later = backend.arrivalsSince(restored);
        int stale = suffering.stale();
        return new Ordeal(
                proxy,
                disaster,
                "127.0.0.1:" + backend.port(),
                struck,
                restored,
                ended,
                answers(struck, ended),
                toIt,
                later.size() > stale ? later.get(stale) : 0,
                full,
                sightings(struck, ended));
    }

    /** Waits until it has its share of the requests and, where the proxy tells, is said to; 0: not in time. */
    private long awaitFull(RunningBackend backend, long from) {
        long deadline = from + RECOVERY.toNanos();
        long full = 0;
        while (System.nanoTime() - deadline < 0) {
            long now = System.nanoTime();
            if (full == 0 && hasShare(backend, Math.max(from, now - SHARE_WINDOW_NANOS), now)) {
                full = now - SHARE_WINDOW_NANOS;
            }
            if (full != 0 && isSaidFull(backend, now)) {
                return full;
            }
            Pause.of(PERIOD);
        }
        return full;
    }

    private boolean hasShare(RunningBackend backend, long from, long now) {
        if (now - from < SHARE_WINDOW_NANOS) {
            return false;
        }
        double all =
                herd.stream().mapToInt(each -> each.arrivalsSince(from).size()).sum();
        return backend.arrivalsSince(from).size() >= NEARLY_FAIR * all / herd.size();
    }

    private boolean isSaidFull(RunningBackend backend, long now) {
        List<Sighting> recent = sightings(now - SHARE_WINDOW_NANOS, now).stream()
                .filter(sighting -> sighting.backend().endsWith(":" + backend.port()))
                .toList();
        return watch == null
                || (!recent.isEmpty() && recent.get(recent.size() - 1).isFull());
    }

    private List<SeenAnswer> answers(long from, long to) {
        return clients.endedSince(from).stream()
                .filter(answer -> answer.endedNanos() - to < 0)
                .toList();
    }

    private List<Sighting> sightings(long from, long to) {
        return watch == null
                ? List.of()
                : watch.since(from).stream()
                        .filter(sighting -> sighting.nanos() - to < 0)
                        .toList();
    }
}
