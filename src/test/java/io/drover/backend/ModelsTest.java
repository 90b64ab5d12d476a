package io.drover.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModelsTest {

    @Test
    void nothingIsKnownBeforeTheFirstListing() {
        assertThat(Models.UNKNOWN.isKnown()).isFalse();
        assertThat(Models.UNKNOWN.lists("a")).isFalse();
        assertThat(Models.UNKNOWN.isLoaded("a")).isFalse();
        assertThat(Models.UNKNOWN.digest("a")).isNull();
        assertThat(Models.UNKNOWN.listed()).isEmpty();
        assertThat(Models.UNKNOWN.loaded()).isEmpty();
    }

    @Test
    void aBackendKeepsWhatItWasToldLast() {
        Backend backend = Herd.equal(1).get(0);
        assertThat(backend.models()).isSameAs(Models.UNKNOWN);
        Models listed = Models.UNKNOWN.withListed(Map.of("a", "1"));

        backend.onModels(listed);
        backend.onProbe(false, "gone", System.nanoTime());

        assertThat(backend.models()).isSameAs(listed);
    }

    @Test
    void anEmptyDiskIsKnown() {
        Models models = Models.UNKNOWN.withListed(Map.of());

        assertThat(models.isKnown()).isTrue();
        assertThat(models.lists("a")).isFalse();
    }

    @Test
    void whatIsListed() {
        Models models = Models.UNKNOWN.withListed(Map.of("a", "1", "b", ""));

        assertThat(models.listed()).containsExactlyInAnyOrder("a", "b");
        assertThat(models.lists("a")).isTrue();
        assertThat(models.lists("c")).isFalse();
        assertThat(models.digest("a")).isEqualTo("1");
        assertThat(models.digest("b")).isNull();
        assertThat(models.isLoaded("a")).isFalse();
    }

    @Test
    void copiesOfALoadedModelAreLoaded() {
        Models models = Models.UNKNOWN
                .withListed(Map.of("a", "1", "copy", "1", "b", "2", "none", ""))
                .withInMemory(Map.of("a", "1"));

        assertThat(models.loaded()).containsExactlyInAnyOrder("a", "copy");
        assertThat(models.isLoaded("b")).isFalse();
        assertThat(models.isLoaded("none")).isFalse();
    }

    @Test
    void whatWasPulledAnewIsNotWhatIsInMemory() {
        Models models = Models.UNKNOWN.withListed(Map.of("a", "2", "old", "1")).withInMemory(Map.of("a", "1"));

        assertThat(models.isLoaded("a")).isFalse();
        assertThat(models.isLoaded("old")).isTrue();
    }

    @Test
    void withoutDigestsTheNameDecides() {
        assertThat(Models.UNKNOWN
                        .withListed(Map.of("a", "1"))
                        .withInMemory(Map.of("a", ""))
                        .isLoaded("a"))
                .isTrue();
        assertThat(Models.UNKNOWN
                        .withListed(Map.of("a", "", "b", ""))
                        .withInMemory(Map.of("a", "1"))
                        .loaded())
                .containsExactly("a");
        assertThat(Models.UNKNOWN.withInMemory(Map.of("a", "1")).isLoaded("a")).isTrue();
    }

    @Test
    void theDiskListedAnewLeavesTheMemory() {
        Models models = Models.UNKNOWN
                .withListed(Map.of("a", "1"))
                .withInMemory(Map.of("a", "1"))
                .withListed(Map.of("a", "1", "b", "1"));

        assertThat(models.loaded()).containsExactlyInAnyOrder("a", "b");
        assertThat(models.withInMemory(Map.of()).loaded()).isEmpty();
    }

    @Test
    void theSameListingAgainIsTheSameObject() {
        Models models = Models.UNKNOWN.withListed(Map.of("a", "1")).withInMemory(Map.of("a", "1"));

        assertThat(models.withListed(Map.of("a", "1")).withInMemory(Map.of("a", "1")))
                .isSameAs(models);
        assertThat(Models.UNKNOWN.withListed(Map.of())).isNotSameAs(Models.UNKNOWN);
    }

    @Test
    void aListingThatChangesLaterChangesNothing() {
        Map<String, String> digests = new HashMap<>(Map.of("a", "1"));
        Models models = Models.UNKNOWN.withListed(digests).withInMemory(digests);

        digests.clear();

        assertThat(models.lists("a")).isTrue();
        assertThat(models.isLoaded("a")).isTrue();
    }

    @Test
    void aLoadedModelAndItsCopiesHaveTheContextThatTheBackendTells() {
        Models models = Models.UNKNOWN
                .withListed(Map.of("a", "1", "copy", "1", "b", "2", "c", "3"))
                .withInMemory(Map.of("a", "1", "c", "3"), Map.of("a", 4096));

        assertThat(models.contextLength("a")).isEqualTo(4096);
        assertThat(models.contextLength("copy")).isEqualTo(4096);
        assertThat(models.contextLength("b")).as("not loaded").isZero();
        assertThat(models.contextLength("c")).as("not told").isZero();
        assertThat(models.contextLength("nowhere")).isZero();
    }

    @Test
    void whatWasPulledAnewHasNoContextYet() {
        Models models = Models.UNKNOWN
                .withListed(Map.of("a", "2", "old", "1"))
                .withInMemory(Map.of("a", "1"), Map.of("a", 4096));

        assertThat(models.contextLength("a")).isZero();
        assertThat(models.contextLength("old")).isEqualTo(4096);
    }

    @Test
    void ofTwoContextsWithOneDigestTheShorterCounts() {
        Models models = Models.UNKNOWN
                .withListed(Map.of("a", "1", "b", "1", "c", "1"))
                .withInMemory(Map.of("a", "1", "b", "1", "c", "1"), Map.of("a", 8192, "b", 4096));

        assertThat(models.contextLength("a")).isEqualTo(4096);
        assertThat(models.contextLength("b")).isEqualTo(4096);
        assertThat(models.contextLength("c")).isEqualTo(4096);
    }

    @Test
    void anotherContextIsAnotherListing() {
        Models models = Models.UNKNOWN.withInMemory(Map.of("a", "1"), Map.of("a", 4096));

        assertThat(models.withInMemory(Map.of("a", "1"), Map.of("a", 4096))).isSameAs(models);
        assertThat(models.withInMemory(Map.of("a", "1"), Map.of("a", 8192)).contextLength("a"))
                .isEqualTo(8192);
        assertThat(models.withInMemory(Map.of("a", "1")).contextLength("a")).isZero();
    }
}
