package io.drover.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Asks Drover again and again what it thinks of its backends. */
final class HerdWatch implements AutoCloseable {
    private static final JsonFactory JSON = new JsonFactory();
    private static final Duration PERIOD = Duration.ofMillis(40);

    /** Deeper are the backend's models. */
    private static final int BACKEND_DEPTH = 2;

    private final String url;
    private final List<Sighting> sightings = new ArrayList<>();
    private final Thread thread = new Thread(this::run, "herd-watch");
    private volatile boolean closed;

    private HerdWatch(int adminPort) {
        url = "http://127.0.0.1:" + adminPort + "/api/backends";
    }

    static HerdWatch start(int adminPort) {
        HerdWatch watch = new HerdWatch(adminPort);
        watch.thread.setDaemon(true);
        watch.thread.start();
        return watch;
    }

    private void run() {
        while (!closed) {
            long now = System.nanoTime();
            try {
                List<Sighting> seen = read(Fetch.text(url), now);
                synchronized (sightings) {
                    sightings.addAll(seen);
                }
            } catch (IOException e) {
                // It is slow, or at its end: there is nothing to be seen, and the promises show it.
            }
            Pause.of(PERIOD);
        }
    }

    static List<Sighting> read(String json, long now) throws IOException {
        List<Sighting> seen = new ArrayList<>();
        try (JsonParser parser = JSON.createParser(json)) {
            Map<String, String> backend = new HashMap<>();
            int depth = 0;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                depth += token == JsonToken.START_OBJECT ? 1 : 0;
                if (token.isScalarValue() && depth == BACKEND_DEPTH) {
                    backend.put(parser.currentName(), parser.getText());
                } else if (token == JsonToken.END_OBJECT && depth-- == BACKEND_DEPTH) {
                    seen.add(new Sighting(
                            now,
                            backend.getOrDefault("name", ""),
                            backend.getOrDefault("state", ""),
                            backend.getOrDefault("reason", ""),
                            (int) Double.parseDouble(backend.getOrDefault("share", "0"))));
                    backend.clear();
                }
            }
        }
        return seen;
    }

    /** From {@code from} on, of all backends. */
    List<Sighting> since(long from) {
        synchronized (sightings) {
            return sightings.stream().filter(each -> each.nanos() - from >= 0).toList();
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
