package io.drover.cache;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Passes bytes on to a port of this machine; can lose those of its first connection, as a host does that is gone. */
final class Relay implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final int target;
    private volatile boolean silent;

    Relay(int target) throws IOException {
        this.target = target;
        daemon(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    void silenceTheFirst() {
        silent = true;
    }

    private void accept() throws IOException {
        for (boolean first = true; ; first = false) {
            boolean losing = first;
            Socket client = server.accept();
            Socket redis = new Socket(InetAddress.getLoopbackAddress(), target);
            sockets.addAll(List.of(client, redis));
            daemon(() -> copy(client, redis, losing));
            daemon(() -> copy(redis, client, losing));
        }
    }

    private void copy(Socket from, Socket to, boolean losing) throws IOException {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        byte[] bytes = new byte[4096];
        for (int size = in.read(bytes); size >= 0; size = in.read(bytes)) {
            if (!losing || !silent) {
                out.write(bytes, 0, size);
            }
        }
        to.close();
    }

    private interface Task {
        void run() throws IOException;
    }

    private static void daemon(Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (IOException closed) {
                        // What ends every task here.
                    }
                },
                "relay");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
