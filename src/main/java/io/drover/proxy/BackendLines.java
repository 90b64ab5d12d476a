package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.http.HeadWriter;
import org.jspecify.annotations.Nullable;

/**
 * The header lines that depend on nothing but the backend, ready to be copied.
 *
 * @param host the Host line it is sent
 * @param authorization the Authorization line it is sent, if any
 * @param name the line that tells the client who answered
 */
record BackendLines(byte[] host, byte @Nullable [] authorization, byte[] name) {
    static BackendLines of(Backend backend) {
        String authorization = backend.config().authorization().orElse(null);
        return new BackendLines(
                HeadWriter.line("Host", backend.config().host()),
                authorization == null ? null : HeadWriter.line("Authorization", authorization),
                HeadWriter.line("X-Drover-Backend", backend.name()));
    }
}
