package io.drover.admission;

/** Is told what limits did. Called on the thread that asked; has to be quick. */
public interface LimitObserver {
    /** Nobody. */
    LimitObserver NONE = new LimitObserver() {
        @Override
        public void onRefused(String limit) {}

        @Override
        public void onDelayed(String limit) {}
    };

    /** @param limit the name of the one that refused a request: of a configured one, or a fixed word */
    void onRefused(String limit);

    /** @param limit the name of the one for which a request has to wait longest */
    void onDelayed(String limit);
}
