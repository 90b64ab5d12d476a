package io.drover.proxy;

import io.drover.metrics.Phase;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** Where an exchange is and when things happened in it; nothing else. Times are those of {@link System#nanoTime}. */
final class Timeline {
    /** What may follow each phase. {@code DONE} may follow every one: a client can leave at any time. */
    private static final Map<Phase, Set<Phase>> SUCCESSORS = successors();

    private final long startedAtMillis;
    private final long startNanos;
    private final long bytesBefore;
    private Phase phase = Phase.READ_HEAD;
    private long toFirstByteNanos = -1;

    /** @param bytesBefore bytes written to the client before this exchange */
    Timeline(LoopClock clock, long bytesBefore) {
        this.startedAtMillis = clock.wallMillis();
        this.startNanos = clock.now();
        this.bytesBefore = bytesBefore;
    }

    private static Map<Phase, Set<Phase>> successors() {
        Map<Phase, Set<Phase>> table = new EnumMap<>(Phase.class);
        table.put(Phase.READ_HEAD, EnumSet.of(Phase.ADMIT));
        table.put(Phase.ADMIT, EnumSet.of(Phase.READ_BODY));
        table.put(Phase.READ_BODY, EnumSet.of(Phase.LOOKUP, Phase.QUEUE));
        table.put(Phase.LOOKUP, EnumSet.of(Phase.QUEUE, Phase.RELAY));
        // From wherever it fails, an answer that was kept may stand in.
        table.put(Phase.QUEUE, EnumSet.of(Phase.CONNECT, Phase.LOOKUP, Phase.RELAY));
        table.put(Phase.CONNECT, EnumSet.of(Phase.SEND, Phase.QUEUE, Phase.CONNECT, Phase.RELAY));
        table.put(Phase.SEND, EnumSet.of(Phase.AWAIT_HEAD, Phase.RELAY, Phase.QUEUE, Phase.CONNECT));
        table.put(Phase.AWAIT_HEAD, EnumSet.of(Phase.RELAY, Phase.QUEUE, Phase.CONNECT));
        // A response that is held back may still be dropped for another backend's.
        table.put(Phase.RELAY, EnumSet.of(Phase.QUEUE, Phase.CONNECT, Phase.RELAY));
        table.put(Phase.DONE, EnumSet.noneOf(Phase.class));
        return table;
    }

    /** Goes on to {@code next}; a step that the table does not know is a fault of ours. */
    void enter(Phase next) {
        assert isLegal(phase, next) : phase + " -> " + next;
        phase = next;
    }

    /** As {@link #enter}, of one that may be there already. */
    void enterQueue() {
        if (phase != Phase.QUEUE) {
            enter(Phase.QUEUE);
        }
    }

    static boolean isLegal(Phase from, Phase to) {
        return (to == Phase.DONE && from != Phase.DONE)
                || SUCCESSORS.getOrDefault(from, Set.of()).contains(to);
    }

    Phase phase() {
        return phase;
    }

    /** The first byte of a response's body came; the one of the response that is sent counts. */
    void onFirstByte(long nanos) {
        toFirstByteNanos = nanos - startNanos;
    }

    boolean hasFirstByte() {
        return toFirstByteNanos >= 0;
    }

    void forgetFirstByte() {
        toFirstByteNanos = -1;
    }

    long startedAtMillis() {
        return startedAtMillis;
    }

    long startNanos() {
        return startNanos;
    }

    long bytesBefore() {
        return bytesBefore;
    }

    /** From the start to the first byte, -1 if there was none. */
    long timeToFirstByteNanos() {
        return toFirstByteNanos;
    }
}
