package io.drover.proxy;

import io.drover.cache.CachedAnswer;
import io.drover.cache.Lease;
import io.drover.cache.Question;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that of several replicas one computes an answer, and the others wait for that ({@code cache.lease}). Belongs
 * to one exchange, used on its event loop.
 */
final class ReplicaTurn {
    /** Between two looks for the answer that another replica computes. */
    private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final Worker worker;
    private final Caching caching;
    private final Question question;
    private final String model;
    private final Predicate<CachedAnswer> serve;
    private final Runnable compute;
    private boolean waiting;
    /** Ours, that other replicas know of. */
    private @Nullable Lease lease;

    private long endNanos;
    private @Nullable ScheduledFuture<?> timer;

    /**
     * @param serve takes an answer that another replica has computed; whether it will do
     * @param compute follows where there is none, once
     */
    ReplicaTurn(
            Worker worker,
            Caching caching,
            Question question,
            String model,
            Predicate<CachedAnswer> serve,
            Runnable compute) {
        this.worker = worker;
        this.caching = caching;
        this.question = question;
        this.model = model;
        this.serve = serve;
        this.compute = compute;
    }

    void begin() {
        waiting = true;
        endNanos = worker.clock().now() + caching.config().lease().toNanos();
        takeLease();
    }

    private void takeLease() {
        CompletableFuture<Lease> asked = caching.cache().lease(question.key()).toCompletableFuture();
        if (asked.isDone()) {
            onLease(asked.join());
            return;
        }
        awaitRedis();
        asked.thenAccept(taken -> worker.loop().execute(() -> {
            worker.clock().read();
            if (waiting) {
                onLease(taken);
            } else {
                taken.release();
            }
        }));
    }

    /** The budget is one for all that Redis is asked in a row; a pause of Redis' does not end a wait for a replica. */
    private void awaitRedis() {
        if (timer == null) {
            long nanos = Math.max(caching.config().lookupBudget().toNanos(), LOOK_AGAIN_NANOS);
            timer = schedule(nanos, this::compute);
        }
    }

    private ScheduledFuture<?> schedule(long nanos, Runnable task) {
        return worker.loop().schedule(() -> onLoop(task), nanos, TimeUnit.NANOSECONDS);
    }

    /** As a task of its own: of what fails in a future nobody would hear. */
    private void onLoop(Runnable task) {
        worker.loop().execute(() -> {
            worker.clock().read();
            if (waiting) {
                task.run();
            }
        });
    }

    private void onLease(Lease taken) {
        if (taken.isShared()) {
            lease = taken;
            // Who had it may have stored the answer since the last look.
            lookAgain();
        } else if (taken.state() == Lease.State.HELD && worker.clock().now() - endNanos < 0) {
            stopTimer();
            timer = schedule(LOOK_AGAIN_NANOS, () -> {
                timer = null;
                lookAgain();
            });
        } else {
            compute();
        }
    }

    private void lookAgain() {
        awaitRedis();
        caching.cache()
                .inRedis(question.key(), question.form(), model)
                .thenAccept(answer -> onLoop(() -> onLookedAgain(answer)));
    }

    private void onLookedAgain(@Nullable CachedAnswer answer) {
        if (answer != null && serve.test(answer)) {
            end();
        } else if (lease == null) {
            takeLease();
        } else {
            compute();
        }
    }

    private void compute() {
        waiting = false;
        stopTimer();
        Lease ours = lease;
        if (ours != null) {
            long half = caching.config().lease().toNanos() / 2;
            timer = worker.loop().scheduleWithFixedDelay(ours::renew, half, half, TimeUnit.NANOSECONDS);
        }
        compute.run();
    }

    /** Other replicas need not wait any longer. */
    void end() {
        waiting = false;
        stopTimer();
        Lease ours = lease;
        lease = null;
        if (ours != null) {
            ours.release();
        }
    }

    private void stopTimer() {
        ScheduledFuture<?> running = timer;
        timer = null;
        if (running != null) {
            running.cancel(false);
        }
    }
}
