package io.drover.demo;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One text being written: waits for its turn, then writes token by token at the model's pace. Confined to the
 * connection's event loop.
 */
final class Generation implements Pacer.Paced {
    // As fast as possible still lets the loop's other streams have their turn.
    private static final int BURST = 64;
    private static final long UNWRITABLE_POLL_NANOS = 1_000_000;
    // At seven bytes each this makes a line of 2 MB.
    private static final int BIG_CONTEXT_TOKENS = 300_000;

    /**
     * What is to be generated.
     *
     * @param seed what the text follows from
     * @param tokens how many; with {@code limited} the client asked for them
     * @param numCtx 0: automatic
     * @param keepAlive null: as it was
     * @param raw whether the final record has no context
     */
    record Task(
            SimulatedModel model,
            long seed,
            int promptTokens,
            int tokens,
            boolean limited,
            int numCtx,
            @Nullable Duration keepAlive,
            boolean raw,
            boolean stream) {}

    private final Simulation simulation;
    private final Incoming incoming;
    private final Answer answer;
    private final Dialect dialect;
    private final Task task;
    private final Prose prose;
    private final Scheduler.Turn turn;
    private final long begun = System.nanoTime();
    private long firstAt;
    private long nextAt;
    private int written;
    private boolean running;
    private boolean over;

    Generation(Simulation simulation, Incoming incoming, Dialect dialect, Task task) {
        this.simulation = simulation;
        this.incoming = incoming;
        this.answer = incoming.answer();
        this.dialect = dialect;
        this.task = task;
        this.prose = new Prose(task.seed());
        this.turn = new Scheduler.Turn(
                task.model(), task.numCtx(), task.keepAlive(), true, incoming.loop(), this::onGranted);
    }

    void start() {
        incoming.onCancel(this::stop);
        if (!simulation.scheduler.submit(turn)) {
            over = true;
            answer.error(503, Incoming.BUSY);
        }
    }

    /** Gives the slot back at once. */
    private void stop() {
        if (!over) {
            over = true;
            simulation.scheduler.end(turn);
            if (running) {
                simulation.counters.end();
            }
        }
    }

    private void onGranted() {
        if (over) {
            return;
        }
        running = true;
        simulation.counters.begin();
        firstAt = System.nanoTime() + simulation.settings.firstToken().toNanos();
        nextAt = firstAt;
        long due = task.stream() ? firstAt : firstAt + (long) (simulation.nanosPerToken() * (task.tokens() - 1));
        simulation.pacer(incoming.loop()).add(this, due);
    }

    @Override
    public long onDue(long now) {
        if (over) {
            return Pacer.NEVER;
        }
        if (!task.stream()) {
            writeWhole();
            return Pacer.NEVER;
        }
        if (!answer.isWritable()) {
            // A runner stands still while its reader does.
            return now + UNWRITABLE_POLL_NANOS;
        }
        long next = writeDue(now);
        answer.flush();
        return next;
    }

    private long writeDue(long now) {
        if (written == 0) {
            answer.stream(200, dialect.streamType());
            dialect.open(answer, task.promptTokens());
        }
        double nanosPerToken = simulation.nanosPerToken();
        int until = nanosPerToken == 0 ? Math.min(written + BURST, task.tokens()) : task.tokens();
        while (written < until && (nanosPerToken == 0 || nextAt - now <= Pacer.GRAIN_NANOS)) {
            written++;
            nextAt += (long) nanosPerToken;
            if (!dialect.token(answer, prose.next(isLast()))) {
                onStruck();
                return Pacer.NEVER;
            }
        }
        if (written < task.tokens()) {
            return nanosPerToken == 0 ? now : nextAt;
        }
        Totals totals = totals(System.nanoTime());
        if (!mayStall()) {
            // Free before the client can know that the answer has ended.
            stop();
        }
        dialect.close(answer, totals);
        answer.end();
        if (!answer.isStalled()) {
            stop();
        }
        return Pacer.NEVER;
    }

    private boolean mayStall() {
        return answer.fault().is(Fault.Kind.STALL) || answer.fault().is(Fault.Kind.BAD_CHUNK);
    }

    /** A fault ended the stream; one that hangs keeps its slot until the client leaves. */
    private void onStruck() {
        if (!answer.isStalled()) {
            stop();
        }
    }

    private void writeWhole() {
        StringBuilder text = new StringBuilder();
        while (written < task.tokens()) {
            written++;
            text.append(new String(prose.next(isLast()), StandardCharsets.US_ASCII));
        }
        Totals totals = totals(System.nanoTime());
        if (!mayStall()) {
            stop();
        }
        dialect.whole(answer, text.toString(), totals);
        if (!answer.isStalled()) {
            stop();
        }
    }

    private boolean isLast() {
        return written == task.tokens() && !task.limited();
    }

    private Totals totals(long now) {
        int configured = simulation.settings.contextTokens();
        int context = configured < 0 ? task.promptTokens() + task.tokens() : configured;
        if (answer.fault().is(Fault.Kind.BIG_CONTEXT)) {
            context = BIG_CONTEXT_TOKENS;
        }
        boolean fixed = simulation.stamp.isFixed();
        long load = fixed ? 1_000_000 : turn.loadNanos();
        long prompt = fixed
                ? 1_000_000L * task.promptTokens()
                : simulation.settings.firstToken().toNanos();
        long eval = fixed ? 10_000_000L * task.tokens() : Math.max(0, now - firstAt);
        return new Totals(
                task.limited() ? "length" : "stop",
                fixed ? load + prompt + eval : now - begun,
                load,
                task.promptTokens(),
                prompt,
                task.tokens(),
                eval,
                task.raw() ? 0 : context,
                task.seed());
    }
}
