package io.drover.proxy;

import io.drover.admission.IpAddress;
import io.drover.config.Cidr;
import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who asks: the address that counts, what backends are told of it, and the request's name in every log.
 *
 * @param address the client's, after X-Forwarded-For of a trusted proxy was taken into account
 * @param ip the same as numbers; null if it is not known
 * @param forwardedFor value of X-Forwarded-For sent upstream: the peer is its last address
 * @param scheme {@code http} or {@code https}, as the client used it
 * @param requestId the client's own where it is fit to be repeated, else a fresh one
 */
record Caller(String address, @Nullable IpAddress ip, String forwardedFor, String scheme, String requestId) {
    private static final int MAX_REQUEST_ID = 128;

    static Caller unknown(Peer peer) {
        return direct(peer, "http", "");
    }

    private static Caller direct(Peer peer, String scheme, String requestId) {
        return new Caller(peer.text(), peer.ip(), peer.text(), scheme, requestId);
    }

    /** @param spoken the scheme on the connection itself */
    static Caller of(Worker worker, Peer peer, String spoken, MessageHead head) {
        List<Cidr> trusted = worker.context().config().limits().trustedProxies();
        String id = requestId(head);
        String requestId = id == null ? worker.newRequestId() : id;
        if (trusted.isEmpty() || !ClientAddress.isTrusted(peer.address(), trusted)) {
            return direct(peer, spoken, requestId);
        }
        String list = ClientAddress.forwardedFor(head);
        String proto = head.value(Field.X_FORWARDED_PROTO);
        String scheme = proto == null ? spoken : "https".equalsIgnoreCase(proto) ? "https" : "http";
        if (list == null) {
            return direct(peer, scheme, requestId);
        }
        Peer client = ClientAddress.client(list, peer, trusted);
        return new Caller(client.text(), client.ip(), list + ", " + peer.text(), scheme, requestId);
    }

    private static @Nullable String requestId(MessageHead head) {
        int i = head.indexOf(Field.X_REQUEST_ID, 0);
        if (i < 0) {
            return null;
        }
        int from = head.valueStart(i);
        int to = head.valueEnd(i);
        if (from == to || to - from > MAX_REQUEST_ID) {
            return null;
        }
        for (int at = from; at < to; at++) {
            if (head.bytes()[at] <= ' ') {
                return null;
            }
        }
        return head.text(from, to);
    }

    /** Adds what a backend is told. */
    void writeTo(HeadWriter writer) {
        writer.field("X-Forwarded-For", forwardedFor);
        writer.field("X-Forwarded-Proto", scheme);
        writer.field("X-Real-IP", address);
    }
}
