package io.drover.e2e;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/** An address where connecting never ends: a listener whose queue is full, so that the kernel drops what knocks. */
final class Blackhole implements AutoCloseable {
    private static final int KNOCK_MILLIS = 100;
    private static final int MOST_WAITING = 8;

    private final ServerSocket listener;
    private final List<Socket> waiting = new ArrayList<>();

    private Blackhole() throws IOException {
        listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    static Blackhole open() throws IOException {
        Blackhole hole = new Blackhole();
        while (hole.admits()) {
            if (hole.waiting.size() > MOST_WAITING) {
                hole.close();
                throw new IOException("a listener's queue of 1 took " + MOST_WAITING + " connections");
            }
        }
        return hole;
    }

    private boolean admits() throws IOException {
        Socket socket = new Socket();
        waiting.add(socket);
        try {
            socket.connect(new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort()), KNOCK_MILLIS);
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        }
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + listener.getLocalPort());
    }

    /** Takes what waits from the queue: whoever still knocks gets in. */
    void admitAll() throws IOException {
        for (int i = 0; i < waiting.size() - 1; i++) {
            listener.accept().close();
        }
    }

    @Override
    public void close() throws IOException {
        for (Socket socket : waiting) {
            socket.close();
        }
        listener.close();
    }
}
