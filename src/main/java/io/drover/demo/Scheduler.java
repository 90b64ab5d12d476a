package io.drover.demo;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Which models are loaded and whose turn it is, by Ollama's rules: one load at a time, a bounded queue before loads
 * only, and per loaded model a number of slots with an unbounded FIFO queue. Safe for any thread.
 */
final class Scheduler {
    private static final int MAX_LOADED = 3;
    private static final Duration KEEP_ALIVE = Duration.ofMinutes(5);

    private enum State {
        NEW,
        QUEUED,
        LOADING,
        WAITING,
        RUNNING,
        ENDED
    }

    /** One request's claim on a model. */
    static final class Turn {
        private final SimulatedModel model;
        private final int numCtx;
        private final @Nullable Duration keepAlive;
        private final boolean generates;
        private final EventLoop loop;
        private final Runnable granted;
        private final long asked = System.nanoTime();
        private State state = State.NEW;
        private long loadNanos;

        /**
         * @param numCtx 0: automatic
         * @param keepAlive negative: for ever; null: as it was
         * @param generates whether a slot is needed, not only the loaded model
         * @param granted run on {@code loop} once it is this request's turn
         */
        Turn(
                SimulatedModel model,
                int numCtx,
                @Nullable Duration keepAlive,
                boolean generates,
                EventLoop loop,
                Runnable granted) {
            this.model = model;
            this.numCtx = numCtx;
            this.keepAlive = keepAlive;
            this.generates = generates;
            this.loop = loop;
            this.granted = granted;
        }

        /** From the asking until a runner was assigned, in nanoseconds; known once granted. */
        long loadNanos() {
            return loadNanos;
        }

        private String key() {
            return SimulatedModel.key(model.name());
        }
    }

    /** A loaded model as {@code /api/ps} shows it. */
    record Loaded(SimulatedModel model, int contextLength, Duration remaining) {}

    private static final class Runner {
        final SimulatedModel model;
        final int numCtx;
        final ArrayDeque<Turn> waiting = new ArrayDeque<>();
        int running;
        Duration keepAlive = KEEP_ALIVE;
        long idleSince = System.nanoTime();

        @Nullable
        Future<?> expiry;

        Runner(SimulatedModel model, int numCtx) {
            this.model = model;
            this.numCtx = numCtx;
        }

        /** Whether it need not be loaded anew: for other options, or for what was pulled since. */
        boolean serves(Turn turn) {
            return numCtx == turn.numCtx && model.digest().equals(turn.model.digest());
        }

        boolean isBusy() {
            return running > 0 || !waiting.isEmpty();
        }
    }

    private final SimulatedOllama.Settings settings;
    private final EventLoop timers;
    private final Map<String, Runner> runners = new LinkedHashMap<>();
    private final ArrayDeque<Turn> queue = new ArrayDeque<>();
    private @Nullable Turn loading;
    private @Nullable Future<?> loadTimer;

    Scheduler(SimulatedOllama.Settings settings, EventLoop timers) {
        this.settings = settings;
        this.timers = timers;
    }

    /** Asks for a turn; false if the queue before loads is full. */
    synchronized boolean submit(Turn turn) {
        Runner runner = runners.get(turn.key());
        if (runner != null && runner.serves(turn)) {
            admit(runner, turn);
            return true;
        }
        // The one that is being loaded for has left the queue.
        if (queue.size() >= settings.maxQueue() && !(queue.isEmpty() && loading == null)) {
            return false;
        }
        turn.state = State.QUEUED;
        queue.add(turn);
        pump();
        return true;
    }

    /** Ends a turn in whatever state it is: done, or given up. */
    synchronized void end(Turn turn) {
        State before = turn.state;
        turn.state = State.ENDED;
        Runner runner = runners.get(turn.key());
        switch (before) {
            case QUEUED -> queue.remove(turn);
            case LOADING -> abortLoad();
            case WAITING -> {
                if (runner != null) {
                    runner.waiting.remove(turn);
                    idle(runner);
                }
            }
            case RUNNING -> {
                if (runner != null && turn.generates) {
                    runner.running--;
                    Turn next = runner.waiting.poll();
                    if (next != null) {
                        grant(runner, next);
                    } else {
                        idle(runner);
                    }
                }
            }
            default -> {
                return;
            }
        }
        pump();
    }

    /** Unloads a model as soon as it is idle. */
    synchronized void unload(SimulatedModel model) {
        Runner runner = runners.get(SimulatedModel.key(model.name()));
        if (runner != null) {
            runner.keepAlive = Duration.ZERO;
            idle(runner);
            pump();
        }
    }

    /** Longest remaining life first. */
    synchronized List<Loaded> loaded() {
        List<Loaded> all = new ArrayList<>();
        for (Runner runner : runners.values()) {
            Duration remaining = runner.keepAlive.isNegative()
                    ? Duration.ofDays(365L * 290)
                    : runner.keepAlive.minusNanos(System.nanoTime() - runner.idleSince);
            int context = runner.numCtx == 0 ? Math.min(4096, runner.model.contextLength()) : runner.numCtx;
            all.add(new Loaded(runner.model, context, remaining));
        }
        all.sort(Comparator.comparing(Loaded::remaining).reversed());
        return all;
    }

    /** Requests that wait, for a load or for a slot. */
    synchronized int waiting() {
        int sum = queue.size() + (loading == null ? 0 : 1);
        for (Runner runner : runners.values()) {
            sum += runner.waiting.size();
        }
        return sum;
    }

    private void pump() {
        while (loading == null && !queue.isEmpty()) {
            Turn head = queue.element();
            Runner runner = runners.get(head.key());
            if (runner != null && runner.serves(head)) {
                queue.remove();
                admit(runner, head);
                continue;
            }
            if (runner != null) {
                // Other load options, or another model by now: reloaded once nobody uses it.
                if (runner.isBusy()) {
                    return;
                }
                remove(runner);
            } else if (runners.size() >= MAX_LOADED && !evictIdle()) {
                return;
            }
            queue.remove();
            head.state = State.LOADING;
            loading = head;
            if (settings.loadTime().isZero()) {
                onLoaded(head);
            } else {
                loadTimer = timers.schedule(
                        () -> onLoaded(head), settings.loadTime().toNanos(), TimeUnit.NANOSECONDS);
            }
        }
    }

    private synchronized void onLoaded(Turn turn) {
        // A client that left took its load with it, perhaps while this waited for the lock.
        if (turn.state == State.LOADING) {
            loading = null;
            Runner runner = new Runner(turn.model, turn.numCtx);
            runners.put(turn.key(), runner);
            admit(runner, turn);
            pump();
        }
    }

    private void abortLoad() {
        loading = null;
        Future<?> timer = loadTimer;
        if (timer != null) {
            timer.cancel(false);
        }
    }

    private boolean evictIdle() {
        Optional<Runner> victim = runners.values().stream()
                .filter(r -> !r.isBusy())
                .min(Comparator.comparing(r -> r.keepAlive.isNegative() ? Duration.ofDays(365L * 290) : r.keepAlive));
        victim.ifPresent(this::remove);
        return victim.isPresent();
    }

    private void admit(Runner runner, Turn turn) {
        turn.loadNanos = System.nanoTime() - turn.asked;
        if (turn.keepAlive != null) {
            runner.keepAlive = turn.keepAlive;
        }
        if (turn.generates && runner.running >= settings.slots()) {
            turn.state = State.WAITING;
            runner.waiting.add(turn);
            return;
        }
        grant(runner, turn);
        if (!turn.generates) {
            idle(runner);
        }
    }

    private void grant(Runner runner, Turn turn) {
        turn.state = State.RUNNING;
        if (turn.generates) {
            runner.running++;
            stopExpiry(runner);
        }
        turn.loop.execute(turn.granted);
    }

    /** Starts the countdown of a runner that has become idle. */
    private void idle(Runner runner) {
        if (runner.isBusy()) {
            return;
        }
        runner.idleSince = System.nanoTime();
        stopExpiry(runner);
        if (runner.keepAlive.isZero()) {
            remove(runner);
        } else if (!runner.keepAlive.isNegative()) {
            runner.expiry = timers.schedule(() -> expire(runner), runner.keepAlive.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    private synchronized void expire(Runner runner) {
        if (!runner.isBusy()) {
            remove(runner);
            pump();
        }
    }

    private void remove(Runner runner) {
        stopExpiry(runner);
        runners.remove(SimulatedModel.key(runner.model.name()), runner);
    }

    private static void stopExpiry(Runner runner) {
        Future<?> expiry = runner.expiry;
        if (expiry != null) {
            expiry.cancel(false);
            runner.expiry = null;
        }
    }
}
