package io.drover.upstream;

import io.drover.tls.TlsFailure;

/** Why no connection could be made. */
public enum ConnectFailure {
    /** Nobody listens there. */
    REFUSED("connection refused"),
    /** No answer within {@code timeouts.connect}. */
    TIMED_OUT("connect timed out"),
    /** The name has no address. */
    UNRESOLVED("name not resolved"),
    /** No socket could be made here, such as for want of a descriptor. */
    NO_SOCKET("no socket left here"),
    /** Anything else, such as no route. */
    FAILED("connect failed"),
    CERTIFICATE_EXPIRED(TlsFailure.EXPIRED),
    CERTIFICATE_NOT_YET_VALID(TlsFailure.NOT_YET_VALID),
    CERTIFICATE_UNTRUSTED(TlsFailure.UNTRUSTED),
    CERTIFICATE_OF_ANOTHER(TlsFailure.ANOTHER_NAME),
    NO_TLS(TlsFailure.NO_TLS),
    TLS_TIMED_OUT(TlsFailure.TIMED_OUT),
    TLS_FAILED(TlsFailure.HANDSHAKE);

    private final String text;

    ConnectFailure(String text) {
        this.text = text;
    }

    ConnectFailure(TlsFailure failure) {
        this(failure.text());
    }

    static ConnectFailure of(TlsFailure failure) {
        return switch (failure) {
            case EXPIRED -> CERTIFICATE_EXPIRED;
            case NOT_YET_VALID -> CERTIFICATE_NOT_YET_VALID;
            case UNTRUSTED -> CERTIFICATE_UNTRUSTED;
            case ANOTHER_NAME -> CERTIFICATE_OF_ANOTHER;
            case NO_TLS -> NO_TLS;
            case TIMED_OUT -> TLS_TIMED_OUT;
            case HANDSHAKE -> TLS_FAILED;
        };
    }

    /** A few words for logs and errors. */
    public String text() {
        return text;
    }
}
