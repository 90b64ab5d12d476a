package io.drover.bench;

/**
 * What Drover said of one backend at one moment: the fields of {@code GET /api/backends}.
 *
 * @param nanos when, of {@link System#nanoTime}
 * @param backend HOST:PORT, its name
 * @param share percent
 */
record Sighting(long nanos, String backend, String state, String reason, int share) {
    boolean isIn(String... states) {
        for (String each : states) {
            if (state.equals(each)) {
                return true;
            }
        }
        return false;
    }

    /** Whether it gets all that its weight gives it. */
    boolean isFull() {
        return state.equals("up") && share == 100;
    }
}
