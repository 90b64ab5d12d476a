package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdminAuditTest {
    @Test
    void aReloadByASignalIsToldWithoutAClient(@TempDir Path dir) throws Exception {
        Path file = dir.resolve("audit.log");
        try (SimulatedOllama ollama = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                Drover drover = Drover.over(ollama.url())
                        .set("audit-log.enabled", "true")
                        .set("audit-log.file", file.toString())
                        .start()) {
            drover.server().reloadOnSignal();
            Drover.await("the first line", () -> file.toFile().length() > 0);
            drover.rewrite("drover.balance = nonsense");
            long first = file.toFile().length();
            drover.server().reloadOnSignal();
            Drover.await("the second line", () -> file.toFile().length() > first);
        }
        List<LogLine> lines =
                Files.readAllLines(file).stream().map(LogLine::parse).toList();

        assertThat(lines).hasSize(2).allSatisfy(line -> assertThat(line.fields())
                .containsOnlyKeys("time", "event", "status")
                .containsEntry("event", "reload"));
        assertThat(lines).extracting(LogLine::status).containsExactly(200, 422);
    }
}
