package io.drover.proxy;

import io.drover.config.DroverConfig.BackendConfig;
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
    static BackendLines of(BackendConfig backend) {
        String authorization = backend.authorization().orElse(null);
        return new BackendLines(
                HeadWriter.line("Host", backend.host()),
                authorization == null ? null : HeadWriter.line("Authorization", authorization),
                HeadWriter.line("X-Drover-Backend", backend.name()));
    }
}
