package io.drover.e2e;

import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A backend with one model whose answers a test plays itself, and what its clients ask and get. */
final class StagedBackend implements AutoCloseable {
    static final String MODEL = "m";
    static final String CHAT = question("why");
    static final String HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
    static final String END = "0\r\n\r\n";

    /** The last line of an answer. */
    static final String LAST = "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00.000000Z\","
            + "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\","
            + "\"total_duration\":9,\"load_duration\":1,\"prompt_eval_count\":3,\"prompt_eval_duration\":1,"
            + "\"eval_count\":5,\"eval_duration\":1}\n";

    /** How one request is answered. */
    interface Play {
        /** @param number which request for an answer this is, from 1 */
        void answer(RawBackend.Connection connection, int number) throws Exception;
    }

    /** How one request is answered, by what it asks. */
    interface Reply {
        /** @param number as {@link Play#answer} */
        void answer(RawBackend.Connection connection, RawBackend.Request request, int number) throws Exception;
    }

    private final RawBackend raw;
    private final AtomicInteger asked;

    private StagedBackend(RawBackend raw, AtomicInteger asked) {
        this.raw = raw;
        this.asked = asked;
    }

    static StagedBackend start(Play play) throws IOException {
        return start("1", play);
    }

    static StagedBackend start(String digest, Play play) throws IOException {
        return start(digest, (connection, request, number) -> play.answer(connection, number));
    }

    static StagedBackend startAsked(Reply reply) throws IOException {
        return start("1", reply);
    }

    private static StagedBackend start(String digest, Reply reply) throws IOException {
        AtomicInteger asked = new AtomicInteger();
        String tags = "{\"models\":[{\"name\":\"m:latest\",\"model\":\"m:latest\",\"digest\":\"" + digest + "\"}]}";
        RawBackend raw = RawBackend.start(connection -> {
            while (connection.hasMore()) {
                RawBackend.Request request = connection.readRequest();
                String line = request.startLine();
                if (line.startsWith("POST")) {
                    reply.answer(connection, request, asked.incrementAndGet());
                } else if (line.contains("/api/tags")) {
                    connection.answer(tags);
                } else {
                    connection.answer(line.contains("/api/ps") ? "{\"models\":[]}" : "{\"version\":\"0.32.15\"}");
                }
            }
        });
        return new StagedBackend(raw, asked);
    }

    /** Starts a proxy that knows what the herd has. */
    static Drover start(Drover.Setup setup) {
        return setup.set("cache.enabled", "true")
                .set("health.active.interval", "100ms")
                .start()
                .awaitListed();
    }

    URI url() {
        return raw.url();
    }

    /** Requests for an answer that it has read. */
    int asked() {
        return asked.get();
    }

    void awaitAsked(int count) {
        Drover.await(count + " requests at the backend", () -> asked() >= count);
    }

    static void awaitFollowers(Drover drover, int count) {
        Drover.await(
                count + " followers, not " + drover.metric("drover_cache_followers"),
                () -> drover.metric("drover_cache_followers") == count);
    }

    /** A request whose answer is always the same. */
    static String question(String prompt) {
        return "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}],"
                + "\"options\":{\"temperature\":0}}";
    }

    static RawClient ask(Drover drover) {
        return drover.connect().request("POST", "/api/chat", CHAT);
    }

    static RawClient askSlowly(Drover drover) {
        return RawClient.connect(drover.address(), 4096).request("POST", "/api/chat", CHAT);
    }

    static String http10(String more) {
        return "POST /api/chat HTTP/1.0\r\nHost: x\r\n" + more + "Content-Length: " + CHAT.length() + "\r\n\r\n" + CHAT;
    }

    static String line(String content) {
        return "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00.000000Z\","
                + "\"message\":{\"role\":\"assistant\",\"content\":\"" + content + "\"},\"done\":false}\n";
    }

    static String chunk(String data) {
        return Integer.toHexString(data.length()) + "\r\n" + data + "\r\n";
    }

    /** So many lines of about a KiB each, none like another. */
    static String lines(int from, int count) {
        return IntStream.range(from, from + count)
                .mapToObj(i -> line(i + "x".repeat(900)))
                .collect(Collectors.joining());
    }

    /** Sends so many of {@link #lines}, sixteen to a chunk. */
    static void sendLines(RawBackend.Connection to, int from, int count) throws IOException {
        for (int i = from; i < from + count; i += 16) {
            to.sendChunk(lines(i, Math.min(16, from + count - i)));
        }
    }

    static void end(RawBackend.Connection connection) throws IOException {
        connection.sendChunk(LAST);
        connection.send(END);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** What the requests were to the cache, in the access log. */
    static List<String> statuses(Drover drover, int count) {
        return drover.log(count).stream()
                .map(line -> line.get("cache"))
                .sorted()
                .toList();
    }

    @Override
    public void close() throws IOException {
        raw.close();
    }
}
