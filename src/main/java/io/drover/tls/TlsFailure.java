package io.drover.tls;

import io.netty.handler.ssl.NotSslRecordException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import org.jspecify.annotations.Nullable;

/** Why TLS with a backend did not come about. */
public enum TlsFailure {
    /** Its certificate, or that of an authority on the way, is no longer valid. */
    EXPIRED("certificate expired"),
    /** Its certificate is not valid yet; or the clock here is slow. */
    NOT_YET_VALID("certificate not valid yet"),
    /** Nobody who is trusted vouches for its certificate. */
    UNTRUSTED("certificate not trusted"),
    /** Its certificate is for another name than the one that is wanted. */
    ANOTHER_NAME("certificate for another name"),
    /** What came is something else, such as plain HTTP. */
    NO_TLS("no TLS spoken there"),
    /** The handshake was not done in time. */
    TIMED_OUT("TLS handshake timed out"),
    /** Anything else, such as no version or cipher in common. */
    HANDSHAKE("TLS handshake failed");

    private final String text;

    TlsFailure(String text) {
        this.text = text;
    }

    /** Fixed words for logs, metrics and errors. */
    public String text() {
        return text;
    }

    /** @param cause why the handshake failed, as the engine says */
    public static TlsFailure of(@Nullable Throwable cause) {
        TlsFailure found = HANDSHAKE;
        for (Throwable next = cause; next != null; next = next.getCause()) {
            TlsFailure reason = reason(next);
            // The innermost tells most: a path that was not found, since a certificate in it has expired.
            found = reason == null ? found : reason;
        }
        return found;
    }

    private static @Nullable TlsFailure reason(Throwable cause) {
        if (cause instanceof NotSslRecordException) {
            return NO_TLS;
        }
        if (cause instanceof CertificateExpiredException) {
            return EXPIRED;
        }
        if (cause instanceof CertificateNotYetValidException) {
            return NOT_YET_VALID;
        }
        if (cause instanceof CertPathValidatorException path) {
            return path.getReason() == BasicReason.EXPIRED
                    ? EXPIRED
                    : path.getReason() == BasicReason.NOT_YET_VALID ? NOT_YET_VALID : UNTRUSTED;
        }
        if (cause.getClass() == CertificateException.class) {
            // What the check of the name throws; the others throw subclasses.
            return ANOTHER_NAME;
        }
        return cause instanceof CertificateException ? UNTRUSTED : null;
    }
}
