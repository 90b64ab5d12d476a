package io.drover.metrics;

/** Who caused a failure. */
public enum Side {
    CLIENT,
    UPSTREAM,
    PROXY;

    private final String label = name().toLowerCase(java.util.Locale.ROOT);

    /** The name as it stands in metrics and log lines. */
    public String label() {
        return label;
    }
}
