package io.drover.proxy;

import io.drover.admission.Charge;
import io.drover.ollama.JsonFieldScanner;
import io.drover.ollama.TailRing;
import org.jspecify.annotations.Nullable;

/** What a connection's requests need one after the other, made when the first of them does. One event loop. */
final class Scratch {
    private final Charge charge = new Charge();
    private @Nullable JsonFieldScanner scanner;
    private @Nullable TailRing tail;

    /** What the request that comes now takes of its limits. */
    Charge newCharge() {
        charge.reset();
        return charge;
    }

    /** Whether its answer tells how it stands with a limit. */
    boolean isLimitTold() {
        return charge.isTold();
    }

    /** The scanner of the body that is read now. */
    JsonFieldScanner scanner() {
        JsonFieldScanner mine = scanner;
        if (mine == null) {
            mine = new JsonFieldScanner();
            scanner = mine;
        } else {
            mine.reset();
        }
        return mine;
    }

    /** An empty tail for the answer that comes now. */
    TailRing tail() {
        TailRing mine = tail;
        if (mine == null) {
            mine = new TailRing();
            tail = mine;
        } else {
            mine.clear();
        }
        return mine;
    }
}
