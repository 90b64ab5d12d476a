package io.drover.cache;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a slow or dead Redis from costing anything: after some slow answers in a row nothing is asked any more, until a
 * check in the background is answered in time. So no request is ever the probe.
 *
 * <p>An answer that is still missing when it is late counts as slow at the next question: who waited for the end of the
 * command would let a second's requests wait for a Redis that is frozen. Any thread; the lock is held for some arithmetic.
 */
final class Breaker {
    /** Whether Redis is asked. */
    enum State {
        CLOSED,
        /** It is not. */
        OPEN
    }

    /** Answers in a row, of which a busy process has more under way at any time: see {@link #LONGEST_PAUSE_NANOS}. */
    static final int SLOW_IN_A_ROW = 5;

    /** A single pause of Redis, or of this process, makes all late that is under way, and is no reason to ask no more. */
    static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final long budgetNanos;
    private final Runnable onOpen;

    private volatile State state = State.CLOSED;

    // Guarded by this. Questions in about the order of their times.
    private final Queue<Question> underWay = new ArrayDeque<>();
    private int slow;
    private long slowSinceNanos;

    /** Something that Redis is asked. */
    static final class Question {
        private final long atNanos;
        private boolean counted;

        private Question(long atNanos) {
            this.atNanos = atNanos;
        }
    }

    /** @param budget longer answers are slow */
    Breaker(Duration budget, Runnable onOpen) {
        this.budgetNanos = budget.toNanos();
        this.onOpen = onOpen;
    }

    State state() {
        return state;
    }

    /** Null: do not ask. */
    @Nullable
    Question ask(long nowNanos) {
        if (state == State.OPEN) {
            return null;
        }
        synchronized (this) {
            countLate(nowNanos);
            if (state == State.OPEN) {
                return null;
            }
            Question question = new Question(nowNanos);
            underWay.add(question);
            return question;
        }
    }

    private void countLate(long nowNanos) {
        for (Question first = underWay.peek();
                first != null && (first.counted || nowNanos - first.atNanos > budgetNanos);
                first = underWay.peek()) {
            underWay.remove();
            if (!first.counted) {
                first.counted = true;
                onSlow(nowNanos);
            }
        }
    }

    /** The question is answered, or has failed. */
    synchronized void onAnswer(Question question, boolean failed, long nowNanos) {
        if (question.counted) {
            return;
        }
        question.counted = true;
        if (failed || nowNanos - question.atNanos > budgetNanos) {
            onSlow(nowNanos);
        } else {
            slow = 0;
        }
    }

    /** A check in the background has ended. */
    synchronized void onCheck(boolean failed, long nanos) {
        if (failed) {
            open();
        } else if (nanos <= budgetNanos && state == State.OPEN) {
            slow = 0;
            state = State.CLOSED;
        }
    }

    private void onSlow(long nowNanos) {
        if (slow++ == 0) {
            slowSinceNanos = nowNanos;
        }
        if (slow >= SLOW_IN_A_ROW && nowNanos - slowSinceNanos >= LONGEST_PAUSE_NANOS) {
            open();
        }
    }

    private void open() {
        if (state == State.CLOSED) {
            state = State.OPEN;
            // What is said of these from now on counts for nothing.
            underWay.forEach(question -> question.counted = true);
            underWay.clear();
            onOpen.run();
        }
    }
}
