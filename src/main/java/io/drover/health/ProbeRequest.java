package io.drover.health;

import io.drover.backend.Backend;
import io.drover.http.HeadWriter;
import java.io.ByteArrayOutputStream;

/** The bytes of Drover's own requests, with the Host and Authorization that clients' requests get too. */
final class ProbeRequest {
    private ProbeRequest() {}

    /** A GET on a connection that stays open. */
    static byte[] keepingOpen(Backend backend, String path) {
        return get(backend, path, false);
    }

    /** A GET on a connection that the backend is to close. */
    static byte[] closing(Backend backend, String path) {
        return get(backend, path, true);
    }

    private static byte[] get(Backend backend, String path, boolean close) {
        var out = new ByteArrayOutputStream();
        out.writeBytes(HeadWriter.ascii("GET " + path + " HTTP/1.1\r\n"));
        out.writeBytes(HeadWriter.line("Host", backend.config().host()));
        backend.config().authorization().ifPresent(value -> out.writeBytes(HeadWriter.line("Authorization", value)));
        if (close) {
            out.writeBytes(HeadWriter.line("Connection", "close"));
        }
        out.writeBytes(HeadWriter.ascii("\r\n"));
        return out.toByteArray();
    }
}
