package io.drover.metrics;

import org.jspecify.annotations.Nullable;

/** What one line of the audit log is made of. */
sealed interface AuditEntry {
    /**
     * A finished exchange.
     *
     * @param body null where nothing was kept of it
     * @param promptLost whether a prompt is missing, since there was no memory to keep it until it is written
     */
    record Asked(AccessRecord record, @Nullable AuditedBody body, boolean promptLost) implements AuditEntry {
        long bodyBytes() {
            return body == null ? 0 : body.heldBytes();
        }
    }

    /**
     * What an operator did.
     *
     * @param event {@code drain}, {@code undrain} or {@code reload}
     * @param client the operator's address; null: by a signal
     * @param backend null where it concerns none
     * @param status of the answer
     */
    record Done(
            long atMillis,
            String event,
            @Nullable String client,
            @Nullable String backend,
            int status) implements AuditEntry {}
}
