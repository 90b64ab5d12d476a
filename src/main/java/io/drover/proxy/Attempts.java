package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.backend.Slot;
import io.drover.backend.Tried;
import io.drover.ollama.RetryClass.Verdict;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tries of one request: which backends had it, how many more may. */
final class Attempts {
    private final LoopClock clock;
    private final ProxyContext context;
    private final Tried tried = new Tried();
    private int untried;
    private int left;
    private int made;
    private boolean freshTried;
    private boolean poisonSuspected;
    private boolean noneWasUp;
    private @Nullable Backend last;
    private long lastNanos;
    private boolean lastBlamed;

    Attempts(Worker worker) {
        this.clock = worker.clock();
        this.context = worker.context();
        this.untried = context.cluster().backends().size();
        this.left = context.config().retry().attempts();
    }

    /** A slot on the best backend that has not had the request; null if all have. */
    @Nullable
    Slot next() {
        long now = clock.now();
        noneWasUp |= made == 0 && !context.cluster().isUp(now);
        Slot slot = context.balancer().select(context.cluster(), tried, now);
        if (slot != null) {
            tried.add(slot.backend());
            last = slot.backend();
            lastNanos = now;
            lastBlamed = false;
            untried--;
            made++;
            freshTried = false;
        }
        return slot;
    }

    /** A slot on the same backend again, for a new connection; costs no attempt. */
    Slot again(Backend backend) {
        freshTried = true;
        lastNanos = clock.now();
        made++;
        return backend.acquire();
    }

    /** One of the tries that {@code retry.attempts} allows is used up. */
    void spend() {
        left--;
    }

    /** How many more backends may be tried. */
    int left() {
        return Math.min(left, untried);
    }

    /** Whether the current backend had its fresh connection already. */
    boolean isFreshTried() {
        return freshTried;
    }

    /**
     * Whether an answer may be dropped for another backend's: only for one that is up. One that is down gets a try when
     * there is no answer at all.
     */
    boolean isAnotherUp() {
        if (left() == 0) {
            return false;
        }
        long now = clock.now();
        for (Backend backend : context.cluster().backends()) {
            if (!tried.contains(backend) && backend.isUp(now)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a response with this verdict is worth another backend. */
    boolean isWorthNext(Verdict verdict) {
        lastBlamed = verdict == Verdict.NEXT_BACKEND || verdict == Verdict.NEXT_BACKEND_ONCE;
        return isAnotherUp()
                && switch (verdict) {
                    case NEXT_BACKEND, BUSY -> true;
                    case NEXT_BACKEND_ONCE -> {
                        boolean first = !poisonSuspected;
                        poisonSuspected = true;
                        yield first;
                    }
                    case MISSING_MODEL -> context.config().routing().modelAware();
                    case RELAY, MISCONFIGURED -> false;
                };
    }

    /** Whether every backend was known to be down when the first try began. */
    boolean noneWasUp() {
        return noneWasUp;
    }

    /** How often the request was given to a backend. */
    int made() {
        return made;
    }

    /** The backend that has it, or had it last. */
    @Nullable
    Backend last() {
        return last;
    }

    /** Its name; null where the request was given to none. */
    @Nullable
    String lastName() {
        return last == null ? null : last.name();
    }

    /** When it was given the request; of no meaning where none was. */
    long lastNanos() {
        return lastNanos;
    }

    /** Whether its answer was taken for a failure of its own already. */
    boolean isLastBlamed() {
        return lastBlamed;
    }

    /** The backends that can be tried, or could have been. */
    List<Backend> herd() {
        return context.cluster().backends();
    }

    /** Where it was and how often, for the end of an error's text. */
    String told() {
        return " (backend " + (last == null ? "" : last.name()) + ", tries: " + made + ")";
    }
}
