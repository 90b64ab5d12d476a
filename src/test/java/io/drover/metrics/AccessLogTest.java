package io.drover.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.drover.config.DroverConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class AccessLogTest {
    private final AtomicLong dropped = new AtomicLong();

    @Test
    void aFinishedExchangeIsOneLineWithAllItsFields(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("access.log");
        try (AccessLog log = toFile(file)) {
            log.offer(TestRecord.chat("llama3:8b", 200));
        }

        assertThat(Files.readString(file))
                .isEqualTo("{\"time\":\"2023-11-14T22:13:20.000Z\",\"request_id\":\"id-1\",\"client\":\"10.1.2.3\","
                        + "\"method\":\"POST\",\"path\":\"/api/chat\",\"endpoint\":\"/api/chat\","
                        + "\"model\":\"llama3:8b\",\"status\":200,\"backend\":\"gpu-a\",\"attempts\":1,"
                        + "\"request_bytes\":100,\"response_bytes\":2000,\"prompt_tokens\":12,"
                        + "\"generated_tokens\":30,\"ttfb_ms\":250.000,\"duration_ms\":2000.000}\n");
    }

    @Test
    void unknownValuesAreAbsentAndAFailureIsTold(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("access.log");
        try (AccessLog log = toFile(file)) {
            log.offer(TestRecord.refused(Outcome.failed(502, Phase.CONNECT, Side.UPSTREAM, "connection refused")));
        }

        Map<String, String> fields = parse(Files.readString(file).strip());
        assertThat(fields)
                .doesNotContainKeys("model", "backend", "prompt_tokens", "generated_tokens", "ttfb_ms")
                .containsEntry("time", "2023-11-14T22:13:20.123Z")
                .containsEntry("status", "502")
                .containsEntry("duration_ms", "7.000")
                .containsEntry("phase", "connect")
                .containsEntry("side", "upstream")
                .containsEntry("cause", "connection refused");
    }

    @Test
    void whatTheCacheDidStandsBehindTheAttempts(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("access.log");
        try (AccessLog log = toFile(file)) {
            log.offer(TestRecord.chat("m", 200).withEndpoint(TestRecord.KEPT, true));
        }

        assertThat(Files.readString(file))
                .contains("\"attempts\":1,\"cache\":\"hit\",\"cache_key\":\"0123abcd\",\"request_bytes\":100,");
    }

    @Test
    void noTextOfAStrangerCanBreakALine(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("access.log");
        String nasty = "/\"\\\r\n\t\0\u001b[2J\u0085\u009b\u2028\u00ff\ud83d\ude00\ud83d\"}";
        try (AccessLog log = toFile(file)) {
            log.offer(TestRecord.chat("m", 200).withTarget(nasty));
            log.offer(TestRecord.chat("m", 200).withTarget(nasty.repeat(3_000)));
        }

        String text = Files.readString(file, StandardCharsets.US_ASCII);
        assertThat(text.chars().filter(c -> c != '\n').allMatch(c -> c >= ' ' && c < 0x7f))
                .isTrue();
        String[] lines = text.split("\n");
        assertThat(lines).hasSize(2);
        assertThat(parse(lines[0])).containsEntry("path", nasty);
        assertThat(parse(lines[1])).containsEntry("path", nasty.repeat(3_000));
    }

    @Test
    void aLogThatIsSwitchedOffDoesNothing(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("access.log");
        try (AccessLog log =
                AccessLog.open(new DroverConfig.AccessLog(false, Optional.of(file), 16), dropped::addAndGet)) {
            log.offer(TestRecord.chat("m", 200));
            log.reopen();
        }

        assertThat(file).doesNotExist();
        assertThat(dropped).hasValue(0);
    }

    @Test
    void aFileThatCannotBeOpenedIsAnErrorAtOnce(@TempDir Path dir) {
        assertThatThrownBy(() -> toFile(dir.resolve("missing").resolve("access.log")))
                .isInstanceOf(IOException.class);
    }

    @Test
    void linesAreAppendedToAFileThatIsThere(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("access.log"), "{}\n");
        try (AccessLog log = toFile(file)) {
            log.offer(TestRecord.chat("m", 200));
        }

        assertThat(Files.readAllLines(file)).hasSize(2).first().isEqualTo("{}");
    }

    @Test
    void aParkedWriterIsWokenByTheNextRecord() throws Exception {
        Gate out = new Gate();
        try (AccessLog log = AccessLog.open(() -> out, 16, dropped::addAndGet)) {
            for (int i = 0; i < 200; i++) {
                log.offer(TestRecord.chat("m", 200).withRequestId("r" + i));
                // Each line comes before the next record is offered, so the writer has had nothing to do in between.
                assertThat(out.awaitLine()).contains("\"r" + i + "\"");
            }
        }
    }

    @Test
    void whatDoesNotFitIsDroppedCountedAndTold() throws Exception {
        Gate out = new Gate();
        out.shut();
        AccessLog log = AccessLog.open(() -> out, 4, dropped::addAndGet);
        log.offer(TestRecord.chat("m", 200).withRequestId("first"));
        out.awaitWrite();
        for (int i = 0; i < 10; i++) {
            log.offer(TestRecord.chat("m", 200).withRequestId("r" + i));
        }
        assertThat(dropped).hasValue(6);
        out.open();
        log.close();

        List<String> lines = out.lines();
        assertThat(lines).hasSize(6);
        assertThat(lines.subList(1, 5)).allMatch(line -> line.contains("\"request_id\":\"r"));
        assertThat(parse(lines.get(5))).containsOnlyKeys("time", "dropped").containsEntry("dropped", "6");
    }

    @Test
    void anErrorOfTheDiskNeverEndsTheWriter() throws Exception {
        Gate out = new Gate();
        AccessLog log = AccessLog.open(() -> out, 16, dropped::addAndGet);
        out.failNextAfter(20);
        log.offer(TestRecord.chat("m", 200).withRequestId("lost"));
        out.awaitFailure();
        log.offer(TestRecord.chat("m", 200).withRequestId("kept"));
        log.close();

        assertThat(dropped).hasValue(1);
        List<String> lines = out.lines();
        assertThat(lines.get(0)).hasSize(20);
        assertThat(lines.subList(1, lines.size()))
                .allSatisfy(line -> assertThat(parse(line)).containsKey("time"))
                .anyMatch(line -> line.contains("\"kept\""))
                .anyMatch(line -> line.contains("\"dropped\":1"))
                .noneMatch(line -> line.contains("\"lost\""));
    }

    @Test
    void aRecordThatThrowsLosesItsOwnLineOnly() throws Exception {
        Gate out = new Gate();
        AccessLog log = AccessLog.open(() -> out, 16, dropped::addAndGet);
        log.offer(TestRecord.chat("m", 200).withRequestId("before"));
        log.offer((AccessRecord) java.lang.reflect.Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {AccessRecord.class}, (proxy, method, args) -> {
                    if (method.getReturnType() == long.class) {
                        return 1L;
                    }
                    throw new IllegalStateException("broken");
                }));
        log.offer(TestRecord.chat("m", 200).withRequestId("after"));
        log.close();

        assertThat(dropped).hasValue(1);
        assertThat(out.lines())
                .hasSize(3)
                .allSatisfy(line -> assertThat(parse(line)).containsKey("time"))
                .anyMatch(line -> line.contains("\"before\""))
                .anyMatch(line -> line.contains("\"after\""))
                .anyMatch(line -> line.contains("\"dropped\":1"));
    }

    @Test
    void aRotatedFileIsOpenedAnew(@TempDir Path dir) throws Exception {
        Path file = dir.resolve("access.log");
        Path moved = dir.resolve("access.log.1");
        LinkedBlockingQueue<String> opened = new LinkedBlockingQueue<>();
        AccessLog log = AccessLog.open(
                () -> {
                    OutputStream out = Files.newOutputStream(
                            file, java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.APPEND);
                    opened.add("opened");
                    return out;
                },
                16,
                dropped::addAndGet);
        assertThat(opened.poll(10, TimeUnit.SECONDS)).isEqualTo("opened");
        log.offer(TestRecord.chat("m", 200).withRequestId("old"));
        Files.move(file, moved);
        log.reopen();
        assertThat(opened.poll(10, TimeUnit.SECONDS)).isEqualTo("opened");
        log.offer(TestRecord.chat("m", 200).withRequestId("new"));
        log.close();

        assertThat(Files.readString(moved)).contains("\"old\"").doesNotContain("\"new\"");
        assertThat(Files.readString(file)).contains("\"new\"").doesNotContain("\"old\"");
    }

    @Test
    void everythingOfferedBeforeCloseIsWrittenOrCounted() throws Exception {
        int threads = 4;
        int each = 5_000;
        Gate out = new Gate();
        AccessLog log = AccessLog.open(() -> out, 64, dropped::addAndGet);
        List<Thread> producers = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            Thread producer = new Thread(() -> {
                for (int i = 0; i < each; i++) {
                    log.offer(TestRecord.chat("m", 200));
                }
            });
            producer.start();
            producers.add(producer);
        }
        for (Thread producer : producers) {
            producer.join();
        }
        log.close();

        long written = 0;
        long told = 0;
        for (String line : out.lines()) {
            Map<String, String> fields = parse(line);
            if (fields.containsKey("dropped")) {
                told += Long.parseLong(fields.get("dropped"));
            } else {
                written++;
            }
        }
        assertThat(written + dropped.get()).isEqualTo((long) threads * each);
        assertThat(told).isEqualTo(dropped.get());
    }

    @Test
    void afterCloseRecordsAreCountedAsDropped() throws Exception {
        AccessLog log = AccessLog.open(() -> new Gate(), 16, dropped::addAndGet);
        log.close();
        log.offer(TestRecord.chat("m", 200));
        log.close();

        assertThat(dropped).hasValue(1);
    }

    @Test
    void closeDoesNotWaitForAWriterThatIsStuck() throws Exception {
        Gate out = new Gate();
        out.shut();
        AccessLog log = AccessLog.open(() -> out, 16, dropped::addAndGet);
        log.offer(TestRecord.chat("m", 200));
        out.awaitWrite();
        log.close();
        assertThat(out.lines()).isEmpty();
        out.open();
    }

    private AccessLog toFile(Path file) throws IOException {
        return AccessLog.open(new DroverConfig.AccessLog(true, Optional.of(file), 16), dropped::addAndGet);
    }

    private static Map<String, String> parse(String line) {
        Map<String, String> fields = new LinkedHashMap<>();
        try (JsonParser parser = new JsonFactory().createParser(line)) {
            assertThat(parser.nextToken()).isEqualTo(JsonToken.START_OBJECT);
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                fields.put(name, parser.getText());
            }
            assertThat(parser.nextToken()).isNull();
        } catch (IOException e) {
            throw new AssertionError("not JSON: " + line, e);
        }
        return fields;
    }

    /** A disk: it can be slow, and it can fail in the middle of a write. */
    private static final class Gate extends OutputStream {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final LinkedBlockingQueue<String> writes = new LinkedBlockingQueue<>();
        private final CountDownLatch failed = new CountDownLatch(1);
        private final CountDownLatch writing = new CountDownLatch(1);
        private volatile CountDownLatch gate = new CountDownLatch(0);
        private volatile int failAfter = -1;

        void shut() {
            gate = new CountDownLatch(1);
        }

        void open() {
            gate.countDown();
        }

        void failNextAfter(int count) {
            failAfter = count;
        }

        void awaitFailure() throws InterruptedException {
            assertThat(failed.await(10, TimeUnit.SECONDS)).isTrue();
        }

        void awaitWrite() throws InterruptedException {
            assertThat(writing.await(10, TimeUnit.SECONDS)).isTrue();
        }

        String awaitLine() throws InterruptedException {
            String line = writes.poll(10, TimeUnit.SECONDS);
            assertThat(line).as("a line within 10 s").isNotNull();
            return line;
        }

        List<String> lines() {
            synchronized (bytes) {
                return bytes.toString(StandardCharsets.UTF_8).lines().toList();
            }
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] source, int offset, int length) throws IOException {
            writing.countDown();
            try {
                gate.await();
            } catch (InterruptedException e) {
                throw new IOException("interrupted", e);
            }
            synchronized (bytes) {
                if (failAfter >= 0) {
                    bytes.write(source, offset, failAfter);
                    failAfter = -1;
                    failed.countDown();
                    throw new IOException("No space left on device");
                }
                bytes.write(source, offset, length);
            }
            writes.add(new String(source, offset, length, StandardCharsets.UTF_8));
        }
    }
}
