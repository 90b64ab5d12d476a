package io.drover.e2e;

import static io.drover.e2e.StagedBackend.LAST;
import static io.drover.e2e.StagedBackend.line;
import static io.drover.e2e.StagedBackend.question;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Clients that join, leave, read slowly and break off, at a backend that fails now and then: nobody gets a wrong answer. */
class CoalesceSoakTest {
    private static final int CLIENTS = 24;
    private static final long NANOS = TimeUnit.SECONDS.toNanos(3);

    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger whole = new AtomicInteger();
    private final AtomicInteger errors = new AtomicInteger();

    /** What a question's answer is: of the same length and content, whoever asks and whenever. */
    private static List<String> answer(int question) {
        Random random = new Random(question);
        int count = 1 + random.nextInt(question % 7 == 0 ? 300 : 12);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add(line(question + "-" + i + "x".repeat(random.nextInt(2000))));
        }
        lines.add(LAST);
        return lines;
    }

    private static void play(RawBackend.Connection connection, RawBackend.Request request, int number)
            throws IOException {
        Random random = new Random(number);
        int fate = random.nextInt(100);
        List<String> lines = answer(Integer.parseInt(request.body().replaceAll("(?s).*number (\\d+)\".*", "$1")));
        if (fate < 4) {
            connection.close();
        } else if (fate < 8) {
            connection.send("HTTP/1.1 500 Oops\r\nContent-Length: 16\r\n\r\n{\"error\":\"oops\"}");
        } else {
            connection.send(StagedBackend.HEAD);
            int fails = fate < 25 ? random.nextInt(lines.size()) : lines.size();
            for (String each : lines.subList(0, fails)) {
                connection.sendChunk(each);
            }
            if (fails < lines.size()) {
                connection.reset();
            } else {
                connection.send(StagedBackend.END);
            }
        }
    }

    private static void answer(RawBackend.Connection connection, RawBackend.Request request, int number)
            throws IOException {
        try {
            play(connection, request, number);
        } catch (IOException cancelled) {
            connection.close();
        }
    }

    private void client(Drover drover, int seed, long end) {
        Random random = new Random(seed);
        while (System.nanoTime() - end < 0) {
            // All ask about the same at the same time.
            int question = (int) (TimeUnit.NANOSECONDS.toMillis(System.nanoTime()) / 15) % 1_000_000;
            boolean slow = random.nextInt(4) == 0;
            try (RawClient client = slow ? RawClient.connect(drover.address(), 4096) : drover.connect()) {
                requests.incrementAndGet();
                client.request("POST", "/api/chat", question("number " + question));
                switch (random.nextInt(6)) {
                    case 0 -> client.hangUp();
                    case 1 -> {
                        client.readHead();
                        client.reset();
                    }
                    default -> stay(client, question);
                }
            } catch (UncheckedIOException cut) {
                // A stream that broke within a line ends so; a whole answer does not.
                errors.incrementAndGet();
            }
        }
    }

    private void stay(RawClient client, int question) {
        RawClient.Response response = client.readResponse();
        String body = response.body();
        if (response.status() != 200 || body.contains("\"error\"")) {
            assertThat(body).contains("{\"error\":");
            errors.incrementAndGet();
        } else {
            // The time of a line is that of its reading where it was kept.
            assertThat(timeless(body)).isEqualTo(timeless(String.join("", answer(question))));
            whole.incrementAndGet();
        }
    }

    private static String timeless(String body) {
        return body.replaceAll("\"created_at\":\"[^\"]*\"", "");
    }

    @Test
    void nobodyGetsAWrongAnswer() throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        try (StagedBackend backend = StagedBackend.startAsked(CoalesceSoakTest::answer);
                Drover drover = StagedBackend.start(Drover.over(backend.url())
                        .loops(4)
                        .set("cache.recording", "512KiB")
                        .set("cache.max-entry", "256KiB")
                        .set("buffers.stream-high", "16KiB")
                        .set("buffers.stream-low", "8KiB"))) {
            long end = System.nanoTime() + NANOS;
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                int seed = i;
                running.add(clients.submit(() -> client(drover, seed, end)));
            }
            for (Future<?> each : running) {
                each.get(30, TimeUnit.SECONDS);
            }
            drover.drained();
            Drover.await("nothing is recorded", () -> drover.metric("drover_cache_bytes{tier=\"recording\",}") == 0);
            StagedBackend.awaitFollowers(drover, 0);
            assertThat(drover.metric("drover_cache_coalesced_total")).isPositive();
            assertThat(whole.get()).isGreaterThan(errors.get());
            assertThat(backend.asked()).isLessThan(requests.get());
        } finally {
            clients.shutdownNow();
        }
    }
}
