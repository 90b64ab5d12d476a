package io.drover.proxy;

import io.drover.metrics.Side;
import io.drover.tls.TlsFailure;

/** How a call fails. */
enum CallFailure {
    REFUSED("connection refused", true),
    CONNECT_TIMED_OUT("connect timed out", true),
    UNRESOLVED("name not resolved", true),
    CONNECT_FAILED("connect failed", true),
    CERTIFICATE_EXPIRED(TlsFailure.EXPIRED),
    CERTIFICATE_NOT_YET_VALID(TlsFailure.NOT_YET_VALID),
    CERTIFICATE_UNTRUSTED(TlsFailure.UNTRUSTED),
    CERTIFICATE_OF_ANOTHER(TlsFailure.ANOTHER_NAME),
    NO_TLS(TlsFailure.NO_TLS),
    TLS_TIMED_OUT(TlsFailure.TIMED_OUT),
    TLS_FAILED(TlsFailure.HANDSHAKE),
    /** This process has no socket left: no evidence against the backend. */
    NO_SOCKET("no socket left here", true),
    /** Too many connects were under way for this one to begin: no evidence either. */
    NO_TURN("too many connects under way", true),
    /** The connection ended in order before the response was known to be one. */
    CLOSED("closed before the answer", false),
    /** The connection broke before the response was known to be one. */
    RESET("reset before the answer", false),
    /** What came is no response that may be passed on. */
    MALFORMED("malformed answer", false),
    /** The response ended before its end. */
    TRUNCATED("truncated answer", false),
    /** The backend does not take the request. */
    WRITE_TIMED_OUT("backend takes no bytes", false),
    /** No response within {@code timeouts.first-byte}. */
    FIRST_BYTE_TIMED_OUT("no answer in time", false),
    /** Probes found the backend down before the response began. */
    BACKEND_DOWN("backend went down", false),
    /** The backend went silent before the response began. */
    BACKEND_WEDGED("backend went silent", false),
    /** No byte of the response within {@code timeouts.idle}. */
    IDLE_TIMED_OUT("answer stalled", false),
    /** What should repeat a broken answer is no such answer: an error, or of another type. */
    REPEAT_REFUSED("answer not repeated", false),
    /** What should repeat a broken answer says something else. */
    REPEAT_DIFFERS("repeated answer differs", false);

    private final String text;
    private final boolean connecting;

    CallFailure(String text, boolean connecting) {
        this.text = text;
        this.connecting = connecting;
    }

    CallFailure(TlsFailure failure) {
        this(failure.text(), true);
    }

    /** Who is to blame, where nothing else is tried. */
    Side side() {
        return isOurs() ? Side.PROXY : Side.UPSTREAM;
    }

    /** Fixed words for logs, metrics and errors. */
    String text() {
        return text;
    }

    /** Whether there was never a connection, so that nothing was sent. */
    boolean isConnecting() {
        return connecting;
    }

    /** Whether the failure is this process' own. */
    boolean isOurs() {
        return this == NO_SOCKET || this == NO_TURN;
    }

    /** Whether the backend merely did not repeat the answer of another one: no evidence against it. */
    boolean isOfRepeat() {
        return this == REPEAT_REFUSED || this == REPEAT_DIFFERS;
    }

    boolean isTimeout() {
        return this == CONNECT_TIMED_OUT
                || this == TLS_TIMED_OUT
                || this == WRITE_TIMED_OUT
                || this == FIRST_BYTE_TIMED_OUT
                || this == IDLE_TIMED_OUT;
    }
}
