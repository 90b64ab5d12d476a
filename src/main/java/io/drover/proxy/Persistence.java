package io.drover.proxy;

import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;

/** Whether a client's connection lives on behind a response, and what the response says of it (RFC 9112, 9.3). */
enum Persistence {
    /** It does; HTTP/1.1 needs no word. */
    KEPT,
    /** It does, and HTTP/1.0 must be told. */
    KEPT_EXPLICITLY,
    /** It ends. */
    CLOSED;

    /** What the request asks for. */
    static Persistence of(MessageHead request) {
        if (request.connectionLists(MessageHead.CLOSE)) {
            return CLOSED;
        }
        if (request.minorVersion() == 0) {
            return request.connectionLists(MessageHead.KEEP_ALIVE) ? KEPT_EXPLICITLY : CLOSED;
        }
        return KEPT;
    }

    void writeTo(HeadWriter writer) {
        switch (this) {
            case KEPT -> {}
            case KEPT_EXPLICITLY -> writer.connectionKeepAlive();
            case CLOSED -> writer.connectionClose();
        }
    }
}
