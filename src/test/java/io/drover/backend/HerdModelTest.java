package io.drover.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.HerdModel.Accord;
import io.drover.config.DroverConfig.ActiveHealth;
import io.drover.config.DroverConfig.Health;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HerdModelTest {
    private static final long NOW = 1_000_000;

    private final Herd herd = Herd.equal(3);
    private final Cluster cluster = herd.cluster();

    /** Two of three have the model, with the same digest and on servers of one version. */
    HerdModelTest() {
        has(0, "m", "1");
        has(1, "m", "1");
        has(2, "other", "9");
    }

    private void has(int index, String model, String digest) {
        Backend backend = herd.get(index);
        backend.onVersion("0.32.15");
        backend.onModels(Models.UNKNOWN.withListed(Map.of(model, digest)));
        backend.onProbe(true, "", NOW);
    }

    private HerdModel ask() {
        return cluster.model("m", NOW);
    }

    private void assertAgreed() {
        assertThat(ask()).isEqualTo(new HerdModel(Accord.AGREED, "1", "0.32.15", 0));
    }

    private void assertNot(Accord accord) {
        assertThat(ask()).isEqualTo(new HerdModel(accord, "", "", 0));
    }

    @Test
    void allThatHaveItAgree() {
        assertAgreed();
        assertThat(cluster.model("other", NOW).digest()).isEqualTo("9");
    }

    @Test
    void nobodyHasIt() {
        assertThat(cluster.model("nowhere", NOW).accord()).isEqualTo(Accord.UNKNOWN);
        assertThat(Cluster.of(List.of()).model("m", NOW).accord()).isEqualTo(Accord.UNKNOWN);
    }

    @Test
    void anotherDigestIsAnotherAnswer() {
        has(1, "m", "2");
        assertNot(Accord.DIFFERENT);
    }

    @Test
    void anotherVersionIsAnotherAnswer() {
        herd.get(1).onVersion("0.32.16");
        assertNot(Accord.DIFFERENT);
    }

    @Test
    void theVersionOfOneWithoutTheModelDoesNotMatter() {
        herd.get(2).onVersion("0.1");
        assertAgreed();
        herd.get(2).onVersion(null);
        assertAgreed();
    }

    @Test
    void withoutADigestOrAVersionItIsUnknown() {
        herd.get(1).onVersion(null);
        assertNot(Accord.UNKNOWN);
        has(1, "m", "");
        assertNot(Accord.UNKNOWN);
    }

    @Test
    void oneThatIsDownCountsWithWhatItHad() {
        for (int i = 0; i < 3; i++) {
            herd.get(1).onProbe(false, "connection refused", NOW);
        }
        assertAgreed();
        has(0, "m", "2");
        assertNot(Accord.DIFFERENT);
    }

    @Test
    void whileAllAreDownWhatTheyHadIsKnown() {
        for (int i = 0; i < 9; i++) {
            herd.get(i % 3).onProbe(false, "connection refused", NOW);
        }
        assertThat(cluster.isUp(NOW)).isFalse();
        assertAgreed();
    }

    @Test
    void oneThatIsDrainedDoesNotCountUntilAllAre() {
        has(1, "m", "2");
        herd.get(1).drain(true, NOW);
        assertAgreed();
        herd.get(0).drain(true, NOW);
        assertThat(ask().accord()).as("the third has it not").isEqualTo(Accord.UNKNOWN);
        herd.get(2).drain(true, NOW);
        assertNot(Accord.DIFFERENT);
        has(1, "m", "1");
        assertAgreed();
    }

    @Test
    void oneThatWasNeverListedRulesAllOutWhileItIsInRotation() {
        herd.get(2).onModels(Models.UNKNOWN);
        assertNot(Accord.UNKNOWN);
        for (int i = 0; i < 3; i++) {
            herd.get(2).onProbe(false, "connection refused", NOW);
        }
        assertAgreed();
    }

    @Test
    void whatARequestHasChangedIsUnknownUntilAListingThatWasAskedForLater() {
        Backend changed = herd.get(2);
        int before = changed.modelChanges();
        changed.onModelChange();
        assertThat(changed.isListed()).isFalse();
        assertNot(Accord.UNKNOWN);
        changed.onListed(before);
        assertNot(Accord.UNKNOWN);
        changed.onListed(changed.modelChanges());
        assertAgreed();
    }

    @Test
    void withoutProbesNothingIsKnownHoweverMuchWas() {
        Health off = new Health(
                new ActiveHealth(Duration.ZERO, Duration.ofSeconds(2), 2, 3),
                Herd.HEALTH.passive(),
                Herd.HEALTH.degraded(),
                Herd.HEALTH.wedgedAfter(),
                Herd.HEALTH.slowStart());
        herd.get(0).configure(herd.get(0).config(), off, NOW);
        assertNot(Accord.UNKNOWN);
        herd.get(0).configure(herd.get(0).config(), Herd.HEALTH, NOW);
        assertAgreed();
        assertThat(Herd.backend(0, 1, false, off, Herd.NOBODY).isListed()).isFalse();
    }

    @Test
    void theShortestContextThatIsKnownCounts() {
        load(0, 8192);
        assertThat(ask().context()).isEqualTo(8192);
        load(1, 4096);
        assertThat(ask().context()).isEqualTo(4096);
        load(0, 2048);
        assertThat(ask().context()).isEqualTo(2048);
    }

    private void load(int index, int context) {
        Backend backend = herd.get(index);
        backend.onModels(backend.models().withInMemory(Map.of("m", "1"), Map.of("m", context)));
    }

    @Test
    void theAnswerOfABackendThatHasTheSameIsOfIt() {
        HerdModel asked = ask();
        assertThat(asked.isOf(herd.get(0), "m")).isTrue();
        assertThat(asked.isOf(herd.get(2), "m")).as("without the model").isFalse();
        assertThat(asked.isOf(herd.get(0), "other")).isFalse();
        assertThat(cluster.model("nowhere", NOW).isOf(herd.get(0), "nowhere")).isFalse();

        herd.get(0).onVersion("0.32.16");
        assertThat(asked.isOf(herd.get(0), "m")).as("updated").isFalse();
        herd.get(0).onVersion("0.32.15");
        herd.get(0).onModelChange();
        assertThat(asked.isOf(herd.get(0), "m")).as("changed").isFalse();
        has(1, "m", "2");
        assertThat(asked.isOf(herd.get(1), "m")).as("pulled anew").isFalse();
    }
}
