package io.drover.admission;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one request has taken from limits, and what its client is told of that. One for each connection is enough: it is
 * used again for the next request after {@link #reset}. For one thread at a time.
 */
public final class Charge {
    private static final long NANOS_PER_SECOND = 1_000_000_000;

    private enum State {
        /** Nothing is taken. */
        NEW,
        /** What is taken has to be settled or cancelled. */
        OPEN,
        /** Settled, cancelled or refused: nothing is left to do. */
        CLOSED
    }

    private State state = State.NEW;

    /** Entries are used again: of each list as many as the number below counts. */
    private final List<Taken> taken = new ArrayList<>(4);

    private final List<Reserved> reserved = new ArrayList<>(2);
    private int takenCount;
    private int reservedCount;
    private Tallies.@Nullable Tally inFlight;

    // Of these the second stage has added none.
    private int takenBefore;
    private int reservedBefore;
    private boolean second;
    private boolean unknown;

    private long promptEstimate;
    private long answerEstimate;

    // The last caller and its key: most connections are of one.
    private String address = "";
    private String addressKey = BucketKey.ofAddress("");
    private String name = "";
    private String nameKey = "";

    // What the client is told: of the limit that refused, else of the tightest.
    private boolean told;
    private long limit;
    private long remaining;
    private long seconds;
    private @Nullable String refusedBy;
    private LimitKind kind = LimitKind.REQUESTS;
    private String message = "";
    private String delayedBy = "";
    private long delayNanos;

    /**
     * Makes it fit for the next request.
     *
     * @throws IllegalStateException if the last one was neither settled nor cancelled
     */
    public void reset() {
        if (state == State.OPEN) {
            throw new IllegalStateException("charge: open (expected: settled, cancelled or refused)");
        }
        state = State.NEW;
        told = false;
        refusedBy = null;
        message = "";
        promptEstimate = 0;
        answerEstimate = 0;
        delayNanos = 0;
    }

    /** Whether a limit has refused the request. */
    public boolean isRefused() {
        return refusedBy != null;
    }

    /** The name of the limit that refused; empty where none did. */
    public String refusedBy() {
        return refusedBy == null ? "" : refusedBy;
    }

    /** What the limit that refused counts. */
    public LimitKind kind() {
        return kind;
    }

    /** What a refused client is told: what the limit is. Empty where none refused. */
    public String message() {
        return message;
    }

    /** Whether there is anything to tell: a limit concerned the request. */
    public boolean isTold() {
        return told;
    }

    /** The size of the tightest bucket, or of what refused. */
    public long limit() {
        return limit;
    }

    /** What is left in it; 0 of a refusal. */
    public long remaining() {
        return remaining;
    }

    /** Whole seconds, at least 1: until that bucket is full, or of a refusal until there is room. */
    public long resetSeconds() {
        return seconds;
    }

    /** Whole seconds after which a refused client may come again, at least 1. */
    public long retryAfterSeconds() {
        return seconds;
    }

    /** Tokens that were taken for prompt and answer before these were known; 0: none were. */
    public long estimate() {
        return promptEstimate + answerEstimate;
    }

    void open() {
        if (state != State.NEW) {
            throw new IllegalStateException("charge: " + state + " (expected: NEW, by reset)");
        }
        state = State.OPEN;
        second = false;
        takenBefore = 0;
        reservedBefore = 0;
        delayNanos = 0;
    }

    boolean isOpen() {
        return state == State.OPEN;
    }

    void beginSecondStage() {
        second = true;
        takenBefore = takenCount;
        reservedBefore = reservedCount;
        delayNanos = 0;
    }

    /** It is not known yet whether there is room. */
    void onUnknown() {
        unknown = true;
    }

    boolean isUnknown() {
        return unknown;
    }

    /** Gives back what the stage has taken, so that it can be asked for again. */
    void takeBackStage(long nowNanos) {
        unknown = false;
        giveBackFrom(takenBefore, reservedBefore, nowNanos);
        if (!second) {
            leave();
            state = State.NEW;
        }
    }

    private void giveBackFrom(int firstTaken, int firstReserved, long nowNanos) {
        for (int i = firstTaken; i < takenCount; i++) {
            taken.get(i).giveBack(nowNanos);
        }
        for (int i = firstReserved; i < reservedCount; i++) {
            reserved.get(i).settle(-estimate(), 0);
        }
        takenCount = firstTaken;
        reservedCount = firstReserved;
    }

    void estimate(long promptTokens, long answerTokens) {
        promptEstimate = promptTokens;
        answerEstimate = answerTokens;
    }

    /** The key of the request's caller: its name, or its address where it has none. */
    String caller(LimitedRequest request) {
        Principal named = request.principal();
        return named == null ? addressKey(request.address()) : nameKey(named);
    }

    String nameKey(Principal named) {
        if (!named.name().equals(name)) {
            name = named.name();
            nameKey = BucketKey.ofName(named.name());
        }
        return nameKey;
    }

    private String addressKey(String of) {
        if (!of.equals(address)) {
            address = of;
            addressKey = BucketKey.ofAddress(of);
        }
        return addressKey;
    }

    void onInFlight(Tallies.Tally tally) {
        inFlight = tally;
    }

    void onTaken(RateRule rule, Bucket bucket, @Nullable Buckets from, String key, long units, long nowNanos) {
        if (takenCount == taken.size()) {
            taken.add(new Taken());
        }
        taken.get(takenCount++).set(rule, bucket, from, key, units, nowNanos);
    }

    void onReserved(Account account) {
        if (reservedCount == reserved.size()) {
            reserved.add(new Reserved());
        }
        reserved.get(reservedCount++).account = account;
    }

    /** Notes how it stands with a bucket; the one with the least left, as a share of its size, is what the client sees. */
    void tell(long size, long left, long nanosUntilFull) {
        long until = (nanosUntilFull - 1) / NANOS_PER_SECOND + 1;
        long mine = left * limit;
        long best = remaining * size;
        if (!told || mine < best || (mine == best && until > seconds)) {
            told = true;
            limit = size;
            remaining = left;
            seconds = until;
        }
    }

    void onWait(String name, long nanos) {
        if (nanos > delayNanos) {
            delayNanos = nanos;
            delayedBy = name;
        }
    }

    /** How long the request has to wait in this stage, in nanoseconds. */
    long delayNanos() {
        return delayNanos;
    }

    String delayedBy() {
        return delayedBy;
    }

    /** @param nanos until there is room */
    void refuse(String name, LimitKind what, String text, long size, long nanos) {
        refusedBy = name;
        kind = what;
        message = text;
        told = true;
        limit = size;
        remaining = 0;
        seconds = (nanos - 1) / NANOS_PER_SECOND + 1;
    }

    /** Gives everything back and is closed. */
    void giveBack(long nowNanos) {
        giveBackFrom(0, 0, nowNanos);
        close();
    }

    /** Corrects what was estimated, as far as it is known (below 0: it is not), and is closed. */
    void settle(long promptTokens, long answerTokens, long gpuNanos, long nowNanos) {
        long more = (promptTokens < 0 ? 0 : promptTokens - promptEstimate)
                + (answerTokens < 0 ? 0 : answerTokens - answerEstimate);
        for (int i = 0; i < takenCount; i++) {
            taken.get(i).settle(more, nowNanos);
        }
        for (int i = 0; i < reservedCount; i++) {
            reserved.get(i).settle(more, gpuNanos);
        }
        close();
    }

    boolean hasReserved() {
        return reservedCount > 0;
    }

    private void close() {
        leave();
        takenCount = 0;
        reservedCount = 0;
        state = State.CLOSED;
    }

    private void leave() {
        Tallies.Tally held = inFlight;
        if (held != null) {
            inFlight = null;
            held.leave();
        }
    }

    /** What was taken from one bucket. */
    private static final class Taken {
        private @Nullable RateRule rule;
        private @Nullable Bucket bucket;
        private @Nullable Buckets from;
        private String key = "";
        private long units;
        private long atNanos;

        void set(RateRule by, Bucket of, @Nullable Buckets kept, String under, long count, long nowNanos) {
            rule = by;
            bucket = of;
            from = kept;
            key = under;
            units = count;
            atNanos = nowNanos;
        }

        void giveBack(long nowNanos) {
            if (bucket != null) {
                bucket.giveBack(units, 0, atNanos, nowNanos);
            }
        }

        void settle(long more, long nowNanos) {
            Bucket held = bucket;
            if (held == null || rule == null || rule.kind() != LimitKind.TOKENS) {
                return;
            }
            if (more < 0) {
                held.giveBack(units, Math.max(0, units + more), atNanos, nowNanos);
            } else if (more > 0) {
                // The bucket may have been forgotten during a long answer, because it was full: its debt goes to the
                // new one.
                (from == null ? held : from.of(key, nowNanos)).charge(more, nowNanos);
            }
        }
    }

    /** What was put down to one budget. */
    private static final class Reserved {
        private @Nullable Account account;

        void settle(long tokens, long gpuNanos) {
            if (account != null) {
                account.add(tokens, gpuNanos);
            }
        }
    }
}
