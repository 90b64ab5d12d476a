package io.drover.bench;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** Waiting for what another thread does. */
final class Futures {
    private Futures() {}

    static <T> T get(Future<T> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }
}
