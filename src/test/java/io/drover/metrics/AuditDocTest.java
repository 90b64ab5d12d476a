package io.drover.metrics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.LogLine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The page on the audit log and the program say the same. */
class AuditDocTest {
    private static final Path PAGE = Path.of("docs", "audit.md");
    private static final Pattern ROW = Pattern.compile("\\| `([a-z_]+)` \\|.*");

    @Test
    void everyFieldIsOnThePageAndNoOther() throws IOException {
        JsonLines<AuditEntry> lines = new JsonLines<>(new AuditLogFormat(() -> TestRecord.NOW, bytes -> {}));
        AuditedBody prompt = new AuditedBody(ByteBuffer.wrap(new byte[] {'x'}), true, true);
        AuditedBody copy = new AuditedBody(
                ByteBuffer.wrap("{\"source\":\"a\",\"destination\":\"b\"}".getBytes(UTF_8)), false, false);
        lines.add(new AuditEntry.Asked(
                TestRecord.chat("m", 200)
                        .withPrincipal("team-a")
                        .withOutcome(Outcome.failed(200, Phase.RELAY, Side.CLIENT, "gone")),
                prompt,
                false));
        lines.add(new AuditEntry.Asked(TestRecord.chat(null, 200), copy, false));
        lines.add(new AuditEntry.Done(0, "drain", "127.0.0.1", "gpu-a", 200));
        lines.addLost(1);
        Set<String> written = new TreeSet<>();
        UTF_8.decode(lines.bytes())
                .toString()
                .lines()
                .forEach(line -> written.addAll(LogLine.parse(line).fields().keySet()));
        Set<String> documented = new TreeSet<>();
        for (String line : Files.readAllLines(PAGE)) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                documented.add(row.group(1));
            }
        }

        assertThat(documented).isEqualTo(written);
    }

    @Test
    void theExamplesAreLinesOfALog() throws IOException {
        List<LogLine> examples = Files.readAllLines(PAGE).stream()
                .filter(line -> line.startsWith("    {"))
                .map(LogLine::parse)
                .toList();

        assertThat(examples).isNotEmpty().allSatisfy(line -> assertThat(line.fields())
                .containsKey("time"));
    }
}
