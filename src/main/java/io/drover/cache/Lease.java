package io.drover.cache;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What one of several replicas takes before it has an answer computed, so that the others wait for that one. Any thread. */
public final class Lease {
    private static final Lease HELD = new Lease(State.HELD, null);
    private static final Lease ALONE = new Lease(State.TAKEN, null);

    /** Whose it is. */
    public enum State {
        /** Ours, or nobody's since Redis is away: compute. */
        TAKEN,
        /** Another replica computes. */
        HELD
    }

    private final State state;
    private final @Nullable Term term;

    /** One that Redis knows of. */
    interface Term {
        CompletionStage<Boolean> renew();

        void release();
    }

    private Lease(State state, @Nullable Term term) {
        this.state = state;
        this.term = term;
    }

    static Lease held() {
        return HELD;
    }

    /** Of somebody who cannot know of others. */
    public static Lease alone() {
        return ALONE;
    }

    static Lease of(Term term) {
        return new Lease(State.TAKEN, term);
    }

    public State state() {
        return state;
    }

    /** Whether it is ours and other replicas know of it: then it is to be renewed, and to be released. */
    public boolean isShared() {
        return term != null;
    }

    /**
     * Makes it last {@code cache.lease} from now on; otherwise it ends so long after it was taken.
     *
     * @return never fails; false if it is somebody else's by now, or Redis is away
     */
    public CompletionStage<Boolean> renew() {
        return term == null ? CompletableFuture.completedFuture(false) : term.renew();
    }

    /**
     * Lets another replica take it, once an answer that was stored before is in Redis. Once is enough; for a lease that is
     * held nothing happens.
     */
    public void release() {
        if (term != null) {
            term.release();
        }
    }
}
