package io.drover.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** What a process of its own shows: how soon it answers, how it grows warm, what memory it takes. */
final class FreshStart {
    private static final String START = "start";
    private static final String WARM_UP = "warm-up";
    private static final String MEMORY = "memory";
    private static final int REQUESTS = 10_000;
    private static final int[] PARTS = {100, 1000, REQUESTS};
    private static final int TOKENS_PER_SECOND = 1;

    private static final Figure FIRST_ANSWER = Figure.less(START, "to the first answer", "ms", 0);

    private final Loops loops;
    private final ModelServer models;
    private final int core;
    private final Path folder;
    private final Duration settle;
    private final int[] streams;

    /**
     * @param settle between the last stream's opening and the look at the memory
     * @param streams numbers of open streams with which to look at the memory, rising
     */
    FreshStart(Loops loops, ModelServer models, int core, Path folder, Duration settle, int... streams) {
        this.loops = loops;
        this.models = models;
        this.core = core;
        this.folder = folder;
        this.settle = settle;
        this.streams = streams.clone();
    }

    void measure(Contender contender, Results results) throws IOException {
        try (RunningProxy proxy = RunningProxy.start(contender, core, folder)) {
            proxy.awaitAnswer();
            results.add(FIRST_ANSWER, proxy.name(), (System.nanoTime() - proxy.startedNanos()) / 1e6);
            warmUp(proxy, results);
            memory(proxy, results);
        }
    }

    private static Socket connect(RunningProxy proxy) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(10_000);
        return socket;
    }

    /** One request over {@code socket}, and its whole answer, which ends with the brace that ends its JSON. */
    private static void ask(Socket socket) throws IOException {
        OutputStream out = socket.getOutputStream();
        out.write(HttpText.SMALL_REQUEST);
        InputStream in = socket.getInputStream();
        byte[] buffer = new byte[4096];
        int length = 0;
        do {
            int read = in.read(buffer, length, buffer.length - length);
            if (read < 0) {
                throw new EOFException("no answer");
            }
            length += read;
        } while (buffer[length - 1] != '}');
        if (buffer["HTTP/1.1 ".length()] != '2') {
            throw new IOException("status is not 200");
        }
    }

    private static void warmUp(RunningProxy proxy, Results results) throws IOException {
        try (Socket socket = connect(proxy)) {
            int done = 0;
            for (int part : PARTS) {
                Histogram latencies = Latencies.histogram();
                String name = String.format(Locale.ROOT, "%,d to %,d", done + 1, part);
                for (; done < part; done++) {
                    long start = System.nanoTime();
                    ask(socket);
                    Latencies.record(latencies, System.nanoTime() - start);
                }
                results.add(
                        Figure.less(WARM_UP, "requests " + name + " p50", "µs", 0),
                        proxy.name(),
                        Latencies.micros(latencies, 50));
                results.add(
                        Figure.less(WARM_UP, "requests " + name + " p99", "µs", 0),
                        proxy.name(),
                        Latencies.micros(latencies, 99));
            }
        }
    }

    private void memory(RunningProxy proxy, Results results) {
        results.add(resident(0), proxy.name(), proxy.residentMiB());
        try (StreamLoad load = new StreamLoad(loops, proxy.port(), TOKENS_PER_SECOND)) {
            for (int count : streams) {
                load.open(count - load.open(), Duration.ofMillis(count / 2));
                Pause.of(settle);
                StreamWindow seen = load.takeWindow();
                seen.failures().forEach(failure -> results.fail(MEMORY, proxy.name(), failure));
                results.add(resident(count), proxy.name(), proxy.residentMiB());
            }
        }
        StreamLoad.awaitNone(models);
    }

    private static Figure resident(int count) {
        return Figure.less(MEMORY, String.format(Locale.ROOT, "%,d streams", count), "MiB", 0);
    }
}
