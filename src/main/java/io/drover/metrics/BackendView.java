package io.drover.metrics;

import java.util.Collection;

/** What the metrics show of a backend. Read by the thread that scrapes, at any time. */
public interface BackendView {
    /** Its configured name, unique in the herd. */
    String name();

    /** Whether it is in rotation now. */
    boolean up();

    /** What is thought of it now; every constant of the enum is shown. */
    Enum<?> state();

    /** Requests that run on it now. */
    int inFlight();

    /** Names of the models in its memory, as last heard. */
    Collection<String> loadedModels();
}
