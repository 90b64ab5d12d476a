package io.drover.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import redis.embedded.RedisServer;

/** A real Redis in a process of its own, that keeps nothing on disk and can be frozen, killed and started again. */
public final class Redis implements AutoCloseable {
    private final Path dir;
    private final int port = FreePort.next();
    private @Nullable RedisServer server;
    private @Nullable ProcessHandle process;

    private Redis(Path dir) {
        this.dir = dir;
    }

    public static Redis start(Path dir) {
        Redis redis = new Redis(dir);
        redis.start();
        return redis;
    }

    /** With nothing in it. */
    public void start() {
        Set<Long> before = children().map(ProcessHandle::pid).collect(Collectors.toSet());
        try {
            RedisServer fresh = RedisServer.newRedisServer()
                    .port(port)
                    .bind("127.0.0.1")
                    .setting("dir " + dir)
                    .setting("save \"\"")
                    .build();
            server = fresh;
            fresh.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        process = children()
                .filter(child -> !before.contains(child.pid()))
                .filter(child -> child.info().commandLine().orElse("").contains("redis"))
                .findAny()
                .orElseThrow();
    }

    private static Stream<ProcessHandle> children() {
        return ProcessHandle.current().children();
    }

    public int port() {
        return port;
    }

    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    /** It says nothing, and accepts connections all the same. */
    public void freeze() {
        signal("STOP");
    }

    public void thaw() {
        signal("CONT");
    }

    /** Ends it without a word; what it had is lost. */
    public void kill() {
        signal("KILL");
        stop();
    }

    private void signal(String name) {
        if (process == null) {
            throw new IllegalStateException("not started");
        }
        try {
            int status = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new AssertionError("kill -" + name + " ends with " + status);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Sends one command over a connection of its own, and gives the first line of the answer. */
    public String command(String... words) {
        StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            text.append('$')
                    .append(word.getBytes(StandardCharsets.UTF_8).length)
                    .append("\r\n");
            text.append(word).append("\r\n");
        }
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(text.toString().getBytes(StandardCharsets.UTF_8));
            StringBuilder line = new StringBuilder();
            for (int c = socket.getInputStream().read();
                    c != '\r';
                    c = socket.getInputStream().read()) {
                line.append((char) c);
            }
            return line.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void stop() {
        try {
            if (server != null) {
                server.stop();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        if (process != null && process.isAlive()) {
            thaw();
        }
        stop();
    }
}
