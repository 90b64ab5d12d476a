package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.backend.Cluster;
import io.drover.backend.Slot;
import io.drover.backend.Tried;
import io.drover.backend.Wanted;
import io.drover.ollama.ModelName;
import io.drover.ollama.RetryClass.Verdict;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The tries of one request: which backends had it, how many more may. */
final class Attempts {
    private final LoopClock clock;
    private final ProxyContext context;
    private final Tried tried = new Tried();
    private Wanted wanted = new Wanted(null, tried);
    private @Nullable ModelName model;
    private boolean nowhere;
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
        this.left = context.config().retry().attempts();
    }

    /**
     * Takes what the request needs. Asked again before a further try, that no longer changes.
     *
     * @param needed the model; null where any backend will do
     * @return false if no backend is known to have the model: they had better be asked before {@link #next}
     */
    boolean begin(@Nullable ModelName needed) {
        if (made > 0) {
            return true;
        }
        if (needed != null) {
            want(needed);
        }
        return !nowhere;
    }

    private void want(ModelName needed) {
        Wanted holder = new Wanted(needed.key(), tried);
        long now = clock.now();
        Cluster cluster = context.cluster();
        boolean missing = holder.isNowhere(cluster, now);
        // A name that no model can have is any backend's to refuse. And while none is up the listings are old, and one
        // that only seems to be down is better than a sure failure.
        boolean anywhere = missing ? !needed.isValid() : !cluster.isUp(now) && holder.left(cluster) == 0;
        if (!anywhere) {
            model = needed;
            wanted = holder;
            nowhere = missing;
        }
    }

    /** Whether no backend has the model, not even after another look. */
    boolean isModelNowhere() {
        return nowhere;
    }

    /** A slot on the best backend that may have the model and has not had the request; null if there is none. */
    @Nullable
    Slot next() {
        // Those of now: a request whose upload took its time goes to the herd that is there.
        Settings settings = context.settings();
        long now = clock.now();
        nowhere = nowhere && wanted.isNowhere(settings.cluster(), now);
        if (nowhere) {
            return null;
        }
        noneWasUp |= made == 0 && !wanted.isUp(settings.cluster(), now);
        Slot slot = settings.balancer().select(settings.cluster(), wanted, now);
        if (slot == null) {
            // A herd may have gone as a whole between two looks at it; there is another one then.
            settings = context.settings();
            slot = settings.balancer().select(settings.cluster(), wanted, now);
        }
        if (slot != null) {
            tried.add(slot.backend());
            last = slot.backend();
            lastNanos = now;
            lastBlamed = false;
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
        return Math.min(left, wanted.left(context.cluster()));
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
        return left > 0 && wanted.isUp(context.cluster(), clock.now());
    }

    /** The same for backends that {@code fit}. */
    boolean isAnotherUp(Predicate<Backend> fit) {
        if (left == 0) {
            return false;
        }
        long now = clock.now();
        for (Backend backend : context.cluster().backends()) {
            if (!tried.contains(backend) && backend.isUp(now) && fit.test(backend)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Uses up a try for a slot on the best backend that is up and fits; null if there is none, or no try is left. The
     * others count as tried from now on.
     */
    @Nullable
    Slot nextUp(Predicate<Backend> fit) {
        if (!isAnotherUp(fit)) {
            return null;
        }
        long now = clock.now();
        for (Backend backend : context.cluster().backends()) {
            if (!tried.contains(backend) && !(backend.isUp(now) && fit.test(backend))) {
                tried.add(backend);
            }
        }
        spend();
        return next();
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

    /** The status of a request whose last try failed so. */
    int status(CallFailure failure) {
        if (failure.isOurs() || isNoneUp(failure)) {
            return 503;
        }
        return failure.isTimeout() ? 504 : 502;
    }

    /** What the client is told of a request whose last try failed so. */
    String told(CallFailure failure) {
        if (failure.isOurs()) {
            return failure.text();
        }
        if (!isNoneUp(failure)) {
            return failure.text() + told();
        }
        String having = having();
        return "no backend" + having + " is up (" + failure.text() + ")" + (having.isEmpty() ? "" : told());
    }

    /** Every backend that may have the model was known to be down when the first try began, and is. */
    private boolean isNoneUp(CallFailure failure) {
        return noneWasUp && failure.isConnecting();
    }

    /** The error where there is no backend for a first try, or no longer one for another. */
    String noneLeft() {
        return "no backend" + having() + " left to try";
    }

    /** Where there are others, the model is what they lack. */
    private String having() {
        ModelName needed = model;
        return needed != null && context.cluster().isUp(clock.now()) ? " with model '" + needed.requested() + "'" : "";
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

    /** Its answer has broken off, and is asked of nobody else. */
    void blameLast() {
        lastBlamed = true;
    }

    /** Whether its answer was taken for a failure of its own already. */
    boolean isLastBlamed() {
        return lastBlamed;
    }

    /** The backends that can be tried, or could have been. */
    List<Backend> herd() {
        return context.cluster().backends();
    }

    /** Where it was and how often. */
    private String told() {
        return " (backend " + (last == null ? "" : last.name()) + ", tries: " + made + ")";
    }
}
