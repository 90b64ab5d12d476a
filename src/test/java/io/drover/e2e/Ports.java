package io.drover.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;

/** Addresses that a test needs to exist or not. */
final class Ports {
    /** Bound and never listening: a port that was given back could be the next listener's, Drover's own too. */
    private static final Socket SILENT = bound();

    private Ports() {}

    /** Nobody listens there. */
    static URI refusing() {
        return URI.create("http://127.0.0.1:" + SILENT.getLocalPort());
    }

    private static Socket bound() {
        try {
            Socket socket = new Socket();
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            return socket;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
