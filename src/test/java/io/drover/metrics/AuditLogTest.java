package io.drover.metrics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.drover.config.DroverConfig;
import io.drover.testing.Await;
import io.drover.testing.LogLine;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

@Timeout(60)
class AuditLogTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Instant NOW = Instant.parse("2026-11-21T13:52:09.123Z");
    private static final long MOST_WAITING = 1000;

    private final Path dir;
    private final Path path;
    private final Map<String, Long> dropped = new ConcurrentHashMap<>();
    private final ListAppender<ILoggingEvent> told = new ListAppender<>();

    AuditLogTest(@TempDir Path temp) throws IOException {
        dir = Files.createDirectory(temp.resolve("log"));
        path = dir.resolve("audit.log");
    }

    @BeforeEach
    void listen() {
        told.start();
        loggers().forEach(logger -> logger.addAppender(told));
    }

    @AfterEach
    void stopListening() {
        loggers().forEach(logger -> logger.detachAppender(told));
    }

    private static List<Logger> loggers() {
        return List.of(
                (Logger) LoggerFactory.getLogger(AuditLog.class), (Logger) LoggerFactory.getLogger(AuditFile.class));
    }

    private List<String> said() {
        return List.copyOf(told.list).stream()
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    private AuditLog open(Path file, int queue) throws IOException {
        return new AuditLog(
                new DroverConfig.AuditLog(true, file, true, 100, queue, MOST_WAITING, 1 << 20, 2),
                (reason, lines) -> dropped.merge(reason, lines, Long::sum),
                () -> NOW);
    }

    private AuditLog open() throws IOException {
        return open(path, 1000);
    }

    private static AuditedBody prompt(String text) {
        return new AuditedBody(ByteBuffer.wrap(text.getBytes(UTF_8)), false, true);
    }

    private static AuditedBody names(String text) {
        return new AuditedBody(ByteBuffer.wrap(text.getBytes(UTF_8)), false, false);
    }

    private List<LogLine> lines() throws IOException {
        return Files.readAllLines(path).stream().map(LogLine::parse).toList();
    }

    /** Whole lines that stand in the file, if it is there. */
    private long writtenLines() {
        try {
            return Files.exists(path)
                    ? Files.readString(path).chars().filter(c -> c == '\n').count()
                    : 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private LogLine only(TestRecord record, @Nullable AuditedBody body) throws IOException {
        try (AuditLog log = open()) {
            log.offer(record, body);
        }
        assertThat(lines()).hasSize(1);
        return lines().get(0);
    }

    private long droppedLines() {
        return dropped.values().stream().mapToLong(Long::longValue).sum();
    }

    @Test
    void aFinishedExchangeIsOneLineWithAllItsFields() throws IOException {
        try (AuditLog log = open()) {
            log.offer(TestRecord.chat("llama3:8b", 200), null);
        }

        assertThat(Files.readString(path))
                .isEqualTo("{\"time\":\"2023-11-14T22:13:20.000Z\",\"request_id\":\"id-1\",\"client\":\"10.1.2.3\","
                        + "\"endpoint\":\"/api/chat\",\"method\":\"POST\",\"path\":\"/api/chat\","
                        + "\"model\":\"llama3:8b\",\"status\":200,\"outcome\":\"complete\",\"backend\":\"gpu-a\","
                        + "\"request_bytes\":100,\"response_bytes\":2000,\"prompt_tokens\":12,"
                        + "\"generated_tokens\":30,\"gpu_seconds\":1.500000,\"duration_seconds\":2.000000}\n");
    }

    @Test
    void aFailureNamesWhoAndWhen() throws IOException {
        Outcome outcome = Outcome.failed(502, Phase.CONNECT, Side.UPSTREAM, "connection refused");
        LogLine line = only(TestRecord.chat("m", 200).withOutcome(outcome), null);

        assertThat(line.fields())
                .containsEntry("status", "502")
                .containsEntry("outcome", "upstream")
                .containsEntry("phase", "connect");
    }

    @Test
    void anAnswerWithoutItsOwnEndIsUnfinished() throws IOException {
        LogLine line = only(TestRecord.chat("m", 200).withEndpoint(TestRecord.UNFINISHED, true), null);

        assertThat(line.get("outcome")).isEqualTo("unfinished");
    }

    @ParameterizedTest
    @CsvSource({
        "/api/chat?api_key=s3cret,             /api/chat",
        "/api/chat#s3cret,                     /api/chat",
        "/a?b=/c?s3cret,                       /a",
        "http://me:s3cret@host/api/chat?x=1,   /api/chat",
        "http://me:s3cret@host,                -",
        "me:s3cret@host:443,                   -",
        "*,                                    -"
    })
    void ofTheTargetThePathAloneIsTold(String target, String expected) throws IOException {
        LogLine line = only(TestRecord.chat("m", 200).withTarget(target), null);

        assertThat(line.get("path")).isEqualTo(expected);
        assertThat(Files.readString(path)).doesNotContain("s3cret");
    }

    @ParameterizedTest
    @CsvSource({
        // method, endpoint, inference, status, recorded
        "POST,    /api/chat,   true,  200, true",
        "POST,    /api/pull,   false, 200, true",
        "DELETE,  /api/delete, false, 404, true",
        "PUT,     other,       false, 200, true",
        "POST,    /api/show,   false, 200, false",
        "POST,    /api/show,   false, 429, true",
        "GET,     /api/tags,   false, 200, false",
        "GET,     /api/tags,   false, 401, true",
        "GET,     /api/tags,   false, 403, true",
        "HEAD,    /api/blobs,  false, 200, false",
        "OPTIONS, /api/chat,   false, 204, false",
        "-,       other,       false, 400, false"
    })
    void whatRunsAModelOrChangesSomethingOrWasRefusedIsRecorded(
            String method, String endpoint, boolean inference, int status, boolean recorded) throws IOException {
        try (AuditLog log = open()) {
            log.offer(TestRecord.chat("m", status).withMethod(method).withEndpoint(endpoint, inference), null);
        }

        assertThat(lines()).hasSize(recorded ? 1 : 0);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
        {"model":"a:1","insecure":true}                              | a:1 | -
        {"name":"a:1"}                                               | a:1 | -
        {"Name":"old","MODEL":"new"}                                 | new | -
        {"model":"new","name":"old"}                                 | new | -
        {"source":"a:1","destination":"b:2"}                         | a:1 | b:2
        {"files":{"model":"no"},"messages":[{"name":"no"}],"model":"a:1"} | a:1 | -
        {"model":"a:1","system":"half of                             | a:1 | -
        {"model":7}                                                  | -   | -
        ["model","a:1"]                                              | -   | -
        nonsense                                                     | -   | -
        """)
    void aBodyAboutModelsGivesTheirNamesAndNothingElse(
            String body, @Nullable String model, @Nullable String destination) throws IOException {
        LogLine line = only(TestRecord.chat(null, 200).withEndpoint("/api/copy", false), names(body));

        assertThat(line.fields().get("model")).isEqualTo(model);
        assertThat(line.fields().get("destination")).isEqualTo(destination);
        assertThat(line.fields()).doesNotContainKeys("prompt", "prompt_cut");
        assertThat(Files.readString(path)).doesNotContain("half of");
    }

    @Test
    void aPromptIsToldAsItCame() throws IOException {
        String body = "{\"model\":\"m\",\"prompt\":\"Gr\u00fc\u00dfe\\n\u2028\ud83d\ude00 \\\"quoted\\\"\"}";
        LogLine line = only(TestRecord.chat("m", 200), prompt(body));

        assertThat(line.get("prompt")).isEqualTo(body);
        assertThat(line.fields()).doesNotContainKey("prompt_cut");
        assertThat(Files.readString(path).strip()).isPrintable();
    }

    @Test
    void aPromptThatIsNotWholeSaysSo() throws IOException {
        AuditedBody half = new AuditedBody(ByteBuffer.wrap("half \u00fc".getBytes(UTF_8), 0, 6), true, true);
        LogLine line = only(TestRecord.chat("m", 200), half);

        assertThat(line.get("prompt")).isEqualTo("half \ufffd");
        assertThat(line.get("prompt_cut")).isEqualTo("true");
    }

    @Test
    void operatorsAreToldOf() throws IOException {
        try (AuditLog log = open()) {
            log.offer("drain", "127.0.0.1", "gpu-a", 200);
            log.offer("reload", null, null, 422);
        }

        assertThat(Files.readAllLines(path))
                .containsExactly(
                        "{\"time\":\"2026-11-21T13:52:09.123Z\",\"event\":\"drain\",\"client\":\"127.0.0.1\","
                                + "\"backend\":\"gpu-a\",\"status\":200}",
                        "{\"time\":\"2026-11-21T13:52:09.123Z\",\"event\":\"reload\",\"status\":422}");
    }

    @Test
    void aRestartAppends() throws IOException {
        for (String id : List.of("first", "second")) {
            try (AuditLog log = open()) {
                log.offer(TestRecord.chat("m", 200).withRequestId(id), null);
            }
        }

        assertThat(lines()).extracting(line -> line.get("request_id")).containsExactly("first", "second");
    }

    @Test
    void aLogThatIsSwitchedOffDoesNothing() throws IOException {
        DroverConfig.AuditLog off = new DroverConfig.AuditLog(false, path, true, 100, 10, 1 << 20, 1 << 20, 2);
        try (AuditLog log = AuditLog.open(off, (reason, lines) -> dropped.merge(reason, lines, Long::sum))) {
            log.offer(TestRecord.chat("m", 200), prompt("secret"));
            log.offer("drain", null, null, 200);
            log.reopen();
            assertThat(log.isOn()).isFalse();
            assertThat(log.promptBytes()).isZero();
        }

        assertThat(path).doesNotExist();
        assertThat(dropped).isEmpty();
    }

    /** As with a heap that is full for a moment. */
    @Test
    void anErrorCostsItsOwnLineOnly() throws IOException {
        try (AuditLog log = open()) {
            log.offer(
                    (AccessRecord) Proxy.newProxyInstance(
                            getClass().getClassLoader(), new Class<?>[] {AccessRecord.class}, (proxy, method, args) -> {
                                if (method.getName().equals("inference")) {
                                    return true;
                                }
                                if (method.getName().equals("outcome")) {
                                    return Outcome.complete(200);
                                }
                                throw new OutOfMemoryError("in a test");
                            }),
                    null);
            log.offer(TestRecord.chat("m", 200), null);
        }

        assertThat(lines())
                .extracting(line -> line.get("model") + line.get("lines"))
                .containsExactlyInAnyOrder("m", "1");
        assertThat(droppedLines()).isEqualTo(1);
    }

    /** An array that grew may be twice as long as what is in it. */
    @Test
    void whatWaitsCountsWithAllTheMemoryThatItTakes() throws IOException {
        byte[] array = new byte[(int) MOST_WAITING + 1];
        AuditedBody small = new AuditedBody(ByteBuffer.wrap(array, 0, 10), false, true);

        assertThat(only(TestRecord.chat("m", 200), small).get("prompt_cut")).isEqualTo("true");
    }

    @Test
    void aFileThatCannotBeOpenedIsAnErrorAtOnce() {
        assertThatThrownBy(() -> open(dir.resolve("missing/audit.log"), 10))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("audit-log.file: \"" + dir.resolve("missing/audit.log") + "\" cannot be opened");
    }

    @Test
    void onAFullDiskWhatDoesNotFitIntoTheQueueIsCountedAndToldOnce() throws IOException {
        AuditLog log = open(Path.of("/dev/full"), 4);
        log.offer(TestRecord.chat("m", 200), null);
        Await.until("told of the disk", SOON, () -> said().size() == 1);
        for (int i = 0; i < 50; i++) {
            log.offer(TestRecord.chat("m", 200), null);
        }
        // The first is with the writer, four are in the queue.
        assertThat(dropped).isEqualTo(Map.of("disk", 46L));
        log.close();

        assertThat(dropped).isEqualTo(Map.of("disk", 51L));
        assertThat(said()).hasSize(2);
        assertThat(said().get(0)).startsWith("audit log: /dev/full cannot be written, which is tried again");
        assertThat(said().get(1)).isEqualTo("audit log: lines are lost from here on, since the file cannot be written");
    }

    @Test
    void aDirectoryThatIsGoneForAWhileLosesOnlyWhatDoesNotFit() throws IOException {
        AuditLog log = open(path, 4);
        log.offer(TestRecord.chat("m", 200).withRequestId("before"), null);
        Await.until("the first line", SOON, () -> path.toFile().length() > 0);
        Files.delete(path);
        Files.delete(dir);
        log.offer(TestRecord.chat("m", 200).withRequestId("waits"), null);
        Await.until("told of the failure", SOON, () -> said().size() == 1);
        for (int i = 0; i < 10; i++) {
            log.offer(TestRecord.chat("m", 200).withRequestId("r" + i), null);
        }
        assertThat(dropped).isEqualTo(Map.of("disk", 6L));
        Files.createDirectory(dir);
        Await.until("told of the end", SOON, () -> said().size() == 4);
        log.offer(TestRecord.chat("m", 200).withRequestId("after"), null);
        log.close();

        assertThat(lines().stream().map(line -> line.get("request_id") + line.get("lines")))
                .containsExactly("waits", "r0", "r1", "r2", "r3", "6", "after");
        assertThat(lines().get(5).fields())
                .containsOnlyKeys("time", "event", "lines")
                .containsEntry("event", "lost");
        assertThat(said())
                .element(1)
                .isEqualTo("audit log: lines are lost from here on, since the file cannot be written");
        assertThat(said()).element(2).isEqualTo("audit log: " + path + " can be written again");
        assertThat(said()).element(3).isEqualTo("audit log: 6 lines were lost; it tells so itself");
        assertThat(dropped).isEqualTo(Map.of("disk", 6L));
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aWriterThatIsStuckHoldsUpNobody() throws Exception {
        Path pipe = dir.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        // For reading and writing, so that opening it waits for nobody.
        try (RandomAccessFile reader = new RandomAccessFile(pipe.toFile(), "rw")) {
            AuditLog log = open(pipe, 16);
            int offered = 0;
            while (dropped.isEmpty() || offered < 1_000) {
                log.offer(TestRecord.chat("m", 200).withTarget("/" + "x".repeat(5_000)), null);
                offered++;
            }
            // What was taken is in the pipe, with the writer and in the queue: it is stuck.
            assertThat(offered - droppedLines()).isLessThan(80);
            assertThat(dropped).containsOnlyKeys("queue");
            assertThat(said().get(0)).endsWith("since they come faster than they can be written");

            long accounted = 0;
            long lost = 0;
            while (accounted < offered) {
                LogLine line = LogLine.parse(reader.readLine());
                boolean isLoss = line.get("event").equals("lost");
                lost += isLoss ? Long.parseLong(line.get("lines")) : 0;
                accounted += isLoss ? Long.parseLong(line.get("lines")) : 1;
            }
            log.close();
            assertThat(accounted).isEqualTo(offered);
            assertThat(lost).isEqualTo(droppedLines());
        }
    }

    @Test
    void promptsThatWaitMayNotFillTheMemory() throws IOException {
        AuditLog log = open(path, 100);
        Files.delete(path);
        Files.delete(dir);
        log.offer(TestRecord.chat("m", 200), null);
        Await.until("told of the failure", SOON, () -> said().size() == 1);
        for (int i = 0; i < 4; i++) {
            log.offer(TestRecord.chat("m", 200), prompt("p".repeat(400)));
        }
        Files.createDirectory(dir);
        // A prompt's bytes wait until its line is formatted, which is after the end of the failure has been told.
        Await.until("what waited is written", SOON, () -> writtenLines() == 5);
        log.offer(TestRecord.chat("m", 200), prompt("p".repeat((int) MOST_WAITING)));
        log.close();

        assertThat(lines())
                .extracting(line -> line.get("prompt").length() + line.get("prompt_cut"))
                .containsExactly("0", "400", "400", "0true", "0true", "1000");
        assertThat(dropped).isEmpty();
    }
}
