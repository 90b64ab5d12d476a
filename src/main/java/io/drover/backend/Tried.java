package io.drover.backend;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The backends that one request was sent to already: themselves, not their places, since the herd may change meanwhile.
 * Belongs to that request and to its event loop. Costs no memory before a second one is tried.
 */
public final class Tried {
    private @Nullable Backend first;
    private @Nullable List<Backend> rest;

    public void add(Backend backend) {
        if (first == null) {
            first = backend;
            return;
        }
        List<Backend> further = rest;
        if (further == null) {
            further = new ArrayList<>(2);
            rest = further;
        }
        further.add(backend);
    }

    public boolean contains(Backend backend) {
        return first == backend || (rest != null && rest.contains(backend));
    }
}
