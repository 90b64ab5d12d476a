package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.drover.testing.Race;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SemanticIndexTest {
    private static final int DIMENSIONS = 32;

    private final Random random = new Random(7);
    private final SemanticIndex index = new SemanticIndex(1000);

    private record Entry(String group, float[] vector, CacheKey key) {}

    @AfterEach
    void close() {
        index.close();
    }

    private static CacheKey key(int number) {
        return CacheKey.parse(String.format("%064x", number));
    }

    private float[] vector(int dimensions) {
        float[] vector = new float[dimensions];
        for (int i = 0; i < dimensions; i++) {
            vector[i] = (float) random.nextGaussian();
        }
        return unit(vector);
    }

    private static float[] unit(float[] vector) {
        double squares = 0;
        for (float each : vector) {
            squares += each * each;
        }
        for (int i = 0; i < vector.length; i++) {
            vector[i] /= (float) Math.sqrt(squares);
        }
        return vector;
    }

    /** Near to another one. */
    private float[] beside(float[] vector, double distance) {
        float[] other = vector.clone();
        for (int i = 0; i < other.length; i++) {
            other[i] += (float) (distance * random.nextGaussian());
        }
        return unit(other);
    }

    private static double cosine(float[] one, float[] other) {
        double sum = 0;
        for (int i = 0; i < one.length; i++) {
            sum += (double) one[i] * other[i];
        }
        return sum;
    }

    @Test
    void findsWhatASearchThroughAllOfThemFinds() {
        List<Entry> all = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            // A few clusters, as questions have; groups of very different sizes.
            float[] vector =
                    i < 20 ? vector(DIMENSIONS) : beside(all.get(i % 20).vector(), 0.1);
            Entry entry = new Entry(i % 50 == 0 ? "small" : i % 3 == 0 ? "middle" : "large", vector, key(i));
            all.add(entry);
            index.add(entry.group(), vector.clone(), entry.key());
        }
        int asked = 0;
        int same = 0;
        for (int i = 0; i < 300; i++) {
            String group = List.of("small", "middle", "large").get(i % 3);
            float[] query = beside(all.get(random.nextInt(all.size())).vector(), 0.05);
            Entry best = all.stream()
                    .filter(entry -> entry.group().equals(group))
                    .max((a, b) -> Double.compare(cosine(a.vector(), query), cosine(b.vector(), query)))
                    .orElseThrow();
            List<SemanticIndex.Near> found = index.nearest(group, query, 0.8);
            for (SemanticIndex.Near near : found) {
                Entry entry = all.get(Integer.parseInt(near.key().toString().substring(56), 16));
                assertThat(entry.group()).isEqualTo(group);
                assertThat((double) near.similarity())
                        .isGreaterThanOrEqualTo(0.8)
                        .isCloseTo(cosine(entry.vector(), query), within(1e-5));
            }
            assertThat(found).isSortedAccordingTo((a, b) -> Float.compare(b.similarity(), a.similarity()));
            if (cosine(best.vector(), query) > 0.80001) {
                asked++;
                same += !found.isEmpty() && found.get(0).key().equals(best.key()) ? 1 : 0;
            } else if (cosine(best.vector(), query) < 0.79999) {
                assertThat(found).isEmpty();
            }
        }
        assertThat(asked).isGreaterThan(150);
        // Approximate, by its nature: what it misses is computed once more.
        assertThat(same).isGreaterThanOrEqualTo(asked * 98 / 100);
    }

    @Test
    void nothingIsFoundInAnEmptyOneOrInAnotherGroup() {
        float[] vector = vector(DIMENSIONS);
        assertThat(index.nearest("a", vector, 0)).isEmpty();
        index.add("a", vector.clone(), key(1));
        assertThat(index.nearest("b", vector, 0)).isEmpty();
        assertThat(index.nearest("a", vector, 0.999))
                .extracting(SemanticIndex.Near::key)
                .containsExactly(key(1));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 384, 1024, 4096})
    void vectorsOfAnyModelFit(int dimensions) {
        float[] vector = vector(dimensions);
        index.add("a", vector(DIMENSIONS), key(1));
        index.add("a", vector.clone(), key(2));
        assertThat(index.nearest("a", vector, 0.999))
                .extracting(SemanticIndex.Near::key)
                .containsExactly(key(2));
    }

    @Test
    void whatIsRemovedIsNotFound() {
        float[] vector = vector(DIMENSIONS);
        index.add("a", vector.clone(), key(1));
        index.add("a", vector.clone(), key(2));
        index.remove(key(1));
        index.remove(key(3));
        assertThat(index.nearest("a", vector, 0.9))
                .extracting(SemanticIndex.Near::key)
                .containsExactly(key(2));
        assertThat(index.size()).isEqualTo(1);
    }

    @Test
    void aNewVectorTakesTheOldOnesPlace() {
        float[] old = vector(DIMENSIONS);
        float[] young = vector(DIMENSIONS);
        index.add("a", old.clone(), key(1));
        index.add("a", young.clone(), key(1));
        assertThat(index.nearest("a", old, 0.9)).isEmpty();
        assertThat(index.nearest("a", young, 0.9)).hasSize(1);
        assertThat(index.size()).isEqualTo(1);
    }

    @Test
    void theOldestLeaveABoundedOne() {
        try (SemanticIndex small = new SemanticIndex(3)) {
            float[] vector = vector(DIMENSIONS);
            for (int i = 0; i < 3; i++) {
                small.add("a", beside(vector, 0.01), key(i));
            }
            // Asked again: no longer the oldest.
            small.add("a", beside(vector, 0.01), key(0));
            small.add("a", beside(vector, 0.01), key(3));
            assertThat(small.nearest("a", vector, 0.5))
                    .extracting(SemanticIndex.Near::key)
                    .containsExactlyInAnyOrder(key(0), key(2), key(3));
            assertThat(small.size()).isEqualTo(3);
        }
    }

    @Test
    void manyThreadsAddSearchAndRemove() throws Exception {
        float[] center = vector(DIMENSIONS);
        Race.run(4, thread -> {
            for (int i = thread * 100; i < thread * 100 + 50; i++) {
                float[] vector = center.clone();
                vector[i % DIMENSIONS] += 0.01f;
                index.add("a", unit(vector), key(i));
                assertThat(index.nearest("a", center, 0.9)).isNotEmpty();
                if (i % 2 == 1) {
                    index.remove(key(i));
                }
            }
        });
        assertThat(index.size()).isEqualTo(100);
        assertThat(index.nearest("a", center, 0.9))
                .hasSizeGreaterThan(10)
                .allSatisfy(near -> assertThat(near.key().toString()).matches(".*[02468ace]"));
    }
}
