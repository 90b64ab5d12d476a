package io.drover.backend;

import io.drover.backend.Condition.Cause;
import io.drover.config.DroverConfig.Health;
import io.drover.config.DroverConfig.PassiveHealth;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides from what is reported of one backend what is to be thought of it. Driven by reports and a clock alone: nothing
 * here reads the time, waits or does I/O.
 *
 * <p>Any thread. Reading takes no lock; reports take a short one. Times are those of {@link System#nanoTime}.
 */
final class BackendHealth {
    private static final String BACK = "back to its full share";

    private final Backend backend;
    private final EjectionLimit limit;
    private final BackendObserver observer;
    private volatile Health health;
    private volatile long slowStartNanos;

    private volatile Condition condition = Condition.UNKNOWN;

    // Written under the lock only.
    private final Object lock = new Object();
    private volatile int failures;
    private int probeSuccesses;
    private int probeFailures;
    private int ejections;
    private long ejectNanos;
    private volatile Told told = new Told(BackendState.UNKNOWN, "", 0);

    /**
     * The last change that was told of.
     *
     * @param reason empty as long as nothing has changed
     */
    private record Told(BackendState state, String reason, long sinceNanos) {}

    BackendHealth(Backend backend, Health health, EjectionLimit limit, BackendObserver observer) {
        this.backend = backend;
        this.health = health;
        this.limit = limit;
        this.observer = observer;
        this.slowStartNanos = health.slowStart().toNanos();
    }

    boolean isUp(long nowNanos) {
        return condition.isUp(nowNanos);
    }

    /** Whether it is ejected for what may be everybody's fault: that nobody is there to connect to is none. */
    boolean takesRoom(long nowNanos) {
        Condition.Ejection last = condition.ejection();
        return last != null && last.cause() != Cause.CONNECTING && last.lasts(nowNanos);
    }

    boolean isDraining() {
        return condition.draining();
    }

    int share(long nowNanos) {
        return condition.share(nowNanos, slowStartNanos);
    }

    BackendState state(long nowNanos) {
        return condition.state(nowNanos, slowStartNanos);
    }

    @Nullable
    String downReason(long nowNanos) {
        return condition.downReason(nowNanos);
    }

    BackendStatus status(long nowNanos) {
        Told last = told;
        long since = last.reason.isEmpty() ? -1 : nowNanos - last.sinceNanos;
        return new BackendStatus(state(nowNanos), last.reason, since, share(nowNanos) * 100 / Condition.WHOLE);
    }

    /** Time has passed: tells of what has changed by that alone. */
    void onTime(long nowNanos) {
        if (told.state != state(nowNanos)) {
            report(nowNanos, BACK, () -> {});
        }
    }

    void onSuccess(long sentNanos, long nowNanos) {
        // The usual case, on every request, takes no lock.
        Condition.Ejection current = condition.ejection();
        if (failures == 0 && current == null) {
            return;
        }
        if (current != null && current.lasts(nowNanos) && current.sinceNanos() - sentNanos > 0) {
            // It tells how the backend was before it failed.
            return;
        }
        if (isWedged(nowNanos)) {
            // It answers something; whether what it owes comes, only what it owes can tell.
            return;
        }
        report(nowNanos, "a request succeeded", () -> {
            failures = 0;
            Condition.Ejection last = condition.ejection();
            if (last != null) {
                condition = condition.back(last.lasts(nowNanos) ? nowNanos : last.untilNanos());
            }
        });
    }

    void onFailure(String reason, long nowNanos) {
        synchronized (lock) {
            failures = failures + 1;
        }
        if (isEjectable() && failures >= health.passive().failures()) {
            List<Change> changes = new ArrayList<>(2);
            limit.eject(backend, nowNanos, () -> eject(reason, nowNanos, Cause.FAILURES, changes));
            tell(changes);
        }
    }

    void onConnectFailure(String reason, long nowNanos) {
        synchronized (lock) {
            failures = failures + 1;
        }
        if (isEjectable()) {
            List<Change> changes = new ArrayList<>(2);
            eject(reason, nowNanos, Cause.CONNECTING, changes);
            tell(changes);
        }
    }

    /** It owes bytes and sends none; told again and again as long as that lasts. */
    void onSilence(String reason, long nowNanos) {
        if (condition.probed() != BackendState.DOWN) {
            List<Change> changes = new ArrayList<>(2);
            limit.eject(backend, nowNanos, () -> eject(reason, nowNanos, Cause.SILENCE, changes));
            tell(changes);
        }
    }

    /** It sends bytes again. */
    void onBytes(long nowNanos) {
        if (isWedged(nowNanos)) {
            report(nowNanos, "it sends bytes again", () -> condition = condition.back(nowNanos));
        }
    }

    private boolean isWedged(long nowNanos) {
        Condition.Ejection last = condition.ejection();
        return last != null && last.cause() == Cause.SILENCE && last.lasts(nowNanos);
    }

    boolean isDegraded() {
        return condition.degraded() != null;
    }

    /** It answers worse than it did. */
    void degrade(String how, long nowNanos) {
        if (!isDegraded()) {
            report(nowNanos, how, () -> condition = condition.degraded(how));
        }
    }

    /** It answers as it did, or nobody knows any more that it does not. */
    void recover(String reason, long nowNanos) {
        if (isDegraded()) {
            report(nowNanos, reason, () -> condition = condition.recovered(nowNanos));
        }
    }

    /** One that probes found down is out of rotation already, and only they can say when it is back. */
    private boolean isEjectable() {
        return health.passive().failures() > 0 && condition.probed() != BackendState.DOWN;
    }

    private void eject(String reason, long nowNanos, Cause cause, List<Change> changes) {
        change(nowNanos, reason, changes, () -> {
            PassiveHealth passive = health.passive();
            Condition.Ejection last = condition.ejection();
            if (last == null || !last.lasts(nowNanos)) {
                // One that has been well for as long as it was last away begins anew.
                boolean relapse = ejections > 0 && nowNanos - endOfLast(last) < ejectNanos;
                ejections = relapse ? ejections + 1 : 1;
                ejectNanos = grown(passive);
            }
            probeSuccesses = 0;
            // What was already running when it was ejected, and fails now, only makes it last longer: the first word
            // stays, unless the next one is that nobody is there.
            Condition.Ejection running = last != null && last.lasts(nowNanos) ? last : null;
            long since = running == null ? nowNanos : running.sinceNanos();
            long until = nowNanos + ejectNanos;
            condition = condition.ejected(
                    running != null && cause != Cause.CONNECTING
                            ? new Condition.Ejection(since, until, running.reason(), running.cause())
                            : new Condition.Ejection(since, until, reason, cause));
        });
    }

    private long endOfLast(Condition.@Nullable Ejection last) {
        return last == null ? condition.backNanos() : last.untilNanos();
    }

    private long grown(PassiveHealth passive) {
        long most = passive.maxEject().toNanos();
        long time = Math.min(most, passive.eject().toNanos());
        for (int i = 1; i < ejections && time < most; i++) {
            time = time > most / 2 ? most : 2 * time;
        }
        return time;
    }

    void onProbe(boolean ok, String reason, long nowNanos) {
        report(nowNanos, ok ? "probe succeeded" : reason, () -> {
            probeSuccesses = ok ? probeSuccesses + 1 : 0;
            probeFailures = ok ? 0 : probeFailures + 1;
            condition = ok ? answered(nowNanos) : unanswered(reason, nowNanos);
        });
    }

    private Condition answered(long nowNanos) {
        Condition.Ejection last = condition.ejection();
        int rise = health.active().rise();
        return switch (condition.probed()) {
            case DOWN -> {
                if (probeSuccesses < rise) {
                    yield condition;
                }
                failures = 0;
                yield condition.back(nowNanos);
            }
            default -> {
                // Probes see what kept it from being connected to; what else requests died of they do not.
                if (last != null && last.cause() == Cause.CONNECTING && probeSuccesses >= rise) {
                    failures = 0;
                    yield condition.back(last.lasts(nowNanos) ? nowNanos : last.untilNanos());
                }
                yield condition.answering();
            }
        };
    }

    private Condition unanswered(String reason, long nowNanos) {
        Condition.Ejection last = condition.ejection();
        if (last != null && last.cause() == Cause.FAILURES && last.lasts(nowNanos)) {
            // What requests died of, probes do see this time: so they will see its end too.
            condition = condition.ejected(last.seenByProbes());
        }
        boolean first = condition.probed() == BackendState.UNKNOWN;
        boolean down = first
                || condition.probed() == BackendState.DOWN
                || probeFailures >= health.active().fall();
        return down ? condition.down(reason) : condition.suspect(reason);
    }

    /** Takes other rules; what was found by the old ones stands. */
    void configure(Health rules, long nowNanos) {
        if (rules.equals(health)) {
            return;
        }
        report(nowNanos, "probes are off", () -> {
            health = rules;
            slowStartNanos = rules.slowStart().toNanos();
            if (rules.active().interval().isZero()) {
                // Nothing would ever say that it is up again.
                condition = condition.unprobed();
            }
        });
    }

    void drain(boolean wanted, String reason, long nowNanos) {
        report(nowNanos, reason, () -> {
            boolean ends = condition.draining() && !wanted;
            condition = condition.drained(wanted);
            if (ends && condition.ejection() == null && condition.probed() == BackendState.UP) {
                condition = condition.back(nowNanos);
            }
        });
    }

    private void report(long nowNanos, String reason, Runnable change) {
        List<Change> changes = new ArrayList<>(2);
        change(nowNanos, reason, changes, change);
        tell(changes);
    }

    /** Changes the condition, and adds what became of the state: by the time that has passed, and by the change. */
    private void change(long nowNanos, String reason, List<Change> changes, Runnable change) {
        synchronized (lock) {
            look(nowNanos, BACK, changes);
            change.run();
            look(nowNanos, reason, changes);
        }
    }

    /** Under no lock, the herd's neither: who is told may log. */
    private void tell(List<Change> changes) {
        for (Change next : changes) {
            observer.onChange(backend, next.from, next.to, next.reason);
        }
    }

    private void look(long nowNanos, String reason, List<Change> changes) {
        BackendState from = told.state;
        BackendState to = state(nowNanos);
        if (from == to) {
            return;
        }
        String why = why(from, to, reason);
        told = new Told(to, why, nowNanos);
        changes.add(new Change(from, to, why));
    }

    private String why(BackendState from, BackendState to, String reason) {
        String degraded = condition.degraded();
        if (to == BackendState.DEGRADED && degraded != null) {
            // Also of one that was ejected meanwhile: that it is back is half of the truth.
            return degraded;
        }
        boolean ejected = from == BackendState.EJECTED || from == BackendState.WEDGED;
        return ejected && reason.equals(BACK) ? "its time has passed" : reason;
    }

    private record Change(BackendState from, BackendState to, String reason) {}
}
