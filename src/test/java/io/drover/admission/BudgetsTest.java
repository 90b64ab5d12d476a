package io.drover.admission;

import static io.drover.admission.Rig.SECOND;
import static io.drover.admission.Rig.budget;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.Budget;
import io.drover.config.DroverConfig.Period;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What may be used up in a day or a month of UTC, and that a restart does not give it anew. */
class BudgetsTest {
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
    private final Rig rig = new Rig();
    private final Path folder;

    BudgetsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @AfterEach
    void stop() {
        executor.shutdownNow();
    }

    private void use(Rig of, String name, long tokens, long gpuSeconds) {
        Charge charge = new Charge();
        assertThat(of.both(Asked.by(name), charge, 10)).isZero();
        of.settle(charge, 0, tokens, gpuSeconds * SECOND);
    }

    private BudgetsFile open(Rig of) {
        return BudgetsFile.open(folder.resolve("budgets"), of.limiter().budgets(), executor, of.wall::get);
    }

    @ParameterizedTest
    @CsvSource({"DAY, 2026-11-22T00:00:00Z, 43200", "MONTH, 2026-12-01T00:00:00Z, 820800"})
    void whatIsUsedUpComesBackWithTheNextPeriod(Period per, Instant end, long seconds) {
        rig.budgets(budget("budget", per, 100, 0));
        use(rig, "alice", 99, 0);
        use(rig, "alice", 50, 0);

        Charge refused = new Charge();
        assertThat(rig.head(Asked.by("alice"), refused)).isNegative();
        assertThat(refused.kind()).isEqualTo(LimitKind.BUDGET);
        assertThat(refused.refusedBy()).isEqualTo("budget");
        assertThat(refused.retryAfterSeconds()).isEqualTo(seconds);
        assertThat(refused.limit()).isEqualTo(100);
        assertThat(refused.message())
                .isEqualTo("budget used up: 100 tokens a " + per.name().toLowerCase(Locale.ROOT)
                        + " with one key; the next begins at " + end);
        use(rig, "bob", 1, 0);
        rig.wall.set(end.toEpochMilli() - 1);
        assertThat(rig.admitsHead(Asked.by("alice"))).isFalse();
        rig.wall.set(end.toEpochMilli());
        use(rig, "alice", 99, 0);
    }

    @Test
    void aClockThatIsSetBackALittleGivesNothing() {
        rig.budgets(budget("budget", Period.DAY, 100, 0));
        rig.wall.set(Instant.parse("2026-11-22T00:00:01Z").toEpochMilli());
        use(rig, "alice", 100, 0);
        rig.wall.addAndGet(-2000);

        assertThat(rig.admitsHead(Asked.by("alice"))).isFalse();
    }

    @Test
    void anEstimateIsPutDownUntilTheCountsAreKnown() {
        rig.budgets(budget("budget", Period.DAY, 100, 0));
        Charge running = new Charge();
        assertThat(rig.both(Asked.by("alice"), running, 150)).isZero();
        assertThat(rig.admitsHead(Asked.by("alice"))).isFalse();

        rig.settle(running, 5, 5, -1);
        assertThat(rig.admitsHead(Asked.by("alice"))).isTrue();
        Charge cancelled = new Charge();
        rig.both(Asked.by("alice"), cancelled, 150);
        rig.limiter().cancel(cancelled, rig.clock.get());
        use(rig, "alice", 89, 0);
        use(rig, "alice", 1, 0);
        assertThat(rig.admitsHead(Asked.by("alice"))).isFalse();
    }

    @Test
    void gpuTimeIsCountedWhenItIsKnown() {
        rig.budgets(budget("gpu", Period.DAY, 0, 10));
        Charge running = new Charge();
        rig.both(Asked.by("alice"), running, 150);
        use(rig, "alice", 1, 12);

        Charge refused = new Charge();
        assertThat(rig.head(Asked.by("alice"), refused)).isNegative();
        assertThat(refused.message())
                .startsWith("budget used up: 10 s of GPU time a day with one key; the next begins at 2026-11-22");
        assertThat(rig.admitsHead(Asked.by("alice").withoutTokens()))
                .as("runs no model")
                .isTrue();
    }

    @Test
    void aBudgetForAModelIsLookedAtWhenTheModelIsKnown() {
        rig.budgets(new Budget(
                "big", Rig.ALL, Period.DAY, 100, Duration.ZERO, List.of(), List.of("llama3:70b"), List.of()));
        Charge charge = new Charge();
        rig.both(Asked.of("llama3:70b"), charge, 100);

        Charge second = new Charge();
        assertThat(rig.head(Asked.of("llama3:70b"), second)).isZero();
        assertThat(rig.limiter().atModel(Asked.of("llama3:70b"), second, 1, 1, 0))
                .isNegative();
        assertThat(rig.admits(Asked.of("llama3:8b"), 100)).isTrue();
    }

    @Test
    void aKeyBringsBudgetsAlong() {
        Allowance own = new Allowance(
                Optional.empty(), 0, Optional.empty(), 0, 100, 150, Duration.ZERO, Duration.ofSeconds(10), 0);
        Asked alice = Asked.by(new Principal("alice", "", Patterns.ALL, Patterns.ALL, own, "", Optional.empty(), true));
        assertThat(rig.admits(alice, 100)).isTrue();
        assertThat(rig.admitsHead(alice)).isFalse();
        rig.pass(24 * 3600);
        assertThat(rig.admits(alice, 60)).isTrue();

        Charge refused = new Charge();
        assertThat(rig.head(alice, refused)).isNegative();
        assertThat(refused.message()).startsWith("budget used up: 150 tokens a month with this key; ");
        assertThat(rig.refusals).containsOnlyKeys("key");
    }

    @Test
    void aReloadThatChangesTheAmountKeepsWhatIsUsedUp() {
        rig.budgets(budget("budget", Period.DAY, 100, 0));
        use(rig, "alice", 100, 0);
        rig.budgets.set(0, budget("budget", Period.DAY, 101, 0));
        rig.reload();

        use(rig, "alice", 1, 0);
        assertThat(rig.admitsHead(Asked.by("alice"))).isFalse();
    }

    @Test
    void aRestartGivesNothingAnew() throws IOException {
        rig.budgets(budget("tokens", Period.DAY, 100, 0), budget("gpu", Period.MONTH, 0, 10));
        open(rig).close();
        assertThat(folder).isEmptyDirectory();
        try (BudgetsFile file = open(rig)) {
            assertThat(file).isNotNull();
            use(rig, "alice", 100, 1);
            use(rig, "b\"o\nb", 10, 10);
        }
        Rig next = new Rig().budgets(budget("tokens", Period.DAY, 100, 0), budget("gpu", Period.MONTH, 0, 10));
        open(next).close();

        assertThat(next.admitsHead(Asked.by("alice"))).isFalse();
        assertThat(next.admitsHead(Asked.by("b\"o\nb"))).isFalse();
        next.wall.set(Instant.parse("2026-11-22T00:00:00Z").toEpochMilli());
        assertThat(next.admitsHead(Asked.by("alice"))).isTrue();
        assertThat(next.admitsHead(Asked.by("b\"o\nb"))).as("for the month").isFalse();
        assertThat(Files.readAllLines(folder.resolve("budgets")))
                .hasSize(4)
                .allMatch(line -> line.startsWith("{\"budget\""));
        assertThat(folder.resolve("budgets.next")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "[]", "nonsense", "{\"budget\":\"a\"}", "{\"tokens\":{}}", "{\"tokens\":\"x\"}"})
    void aDamagedFileIsSetAsideAndWhatStandsBeforeTheDamageCounts(String damage) throws IOException {
        rig.budgets(budget("tokens", Period.DAY, 100, 0));
        Path file = folder.resolve("budgets");
        String good = "{\"budget\":\"tokens/api-key/day\",\"key\":\"alice\",\"from\":\"2026-11-21\",\"tokens\":100,"
                + "\"gpu_nanos\":0}\n";
        Files.writeString(file, good + damage + "\n");

        open(rig).close();

        assertThat(rig.admitsHead(Asked.by("alice"))).isFalse();
        assertThat(rig.admitsHead(Asked.by("bob"))).isTrue();
        assertThat(folder.resolve("budgets.damaged")).hasContent(good + damage);
        assertThat(file).hasContent(good);
    }

    @Test
    void aFileThatCannotBeWrittenIsNoHarm() throws IOException {
        rig.budgets(budget("tokens", Period.DAY, 100, 0));
        Files.createDirectories(folder.resolve("budgets.next"));
        try (BudgetsFile file = open(rig)) {
            assertThat(file).isNotNull();
            use(rig, "alice", 100, 0);
        }
        assertThat(rig.limiter().budgets().takeChanged())
                .as("to be written yet")
                .isTrue();
        assertThat(rig.admitsHead(Asked.by("alice"))).isFalse();
    }
}
