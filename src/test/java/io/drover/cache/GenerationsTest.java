package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GenerationsTest {
    private static final CacheKey KEY = Samples.key("a");
    private static final CacheKey OTHER_KEY = Samples.key("b");

    private final Generations generations = new Generations();

    @Test
    void aPurgeChangesWhatItMeansAndNothingElse() {
        generations.raise(Generations.ofModel("m"), 5);
        long ofModel = generations.of(KEY, "m");
        generations.raise(Generations.ofKey(KEY), 5);

        assertThat(ofModel).isPositive();
        assertThat(generations.of(OTHER_KEY, "m")).isEqualTo(ofModel);
        assertThat(generations.of(KEY, "m")).isGreaterThan(ofModel);
        assertThat(generations.of(OTHER_KEY, "n")).isZero();

        long before = generations.of(KEY, "m");
        generations.raise(Generations.ALL, 5);
        assertThat(generations.of(KEY, "m")).isGreaterThan(before);
        assertThat(generations.of(OTHER_KEY, "n")).isEqualTo(generations.of(KEY, "m"));
    }

    @Test
    void aClockThatGoesBackLowersNothing() {
        generations.raise(Generations.ALL, 1_000);
        long before = generations.of(KEY, "m");

        generations.raise(Generations.ALL, 10);

        assertThat(generations.of(KEY, "m")).isGreaterThan(before);
    }

    @Test
    void tooManyCountersBecomeOneThatIsLargerThanAll() {
        List<Long> before = new ArrayList<>();
        for (int i = 0; i < Generations.MOST - 1; i++) {
            generations.raise(Generations.ofModel("m" + i), 0);
        }
        for (int i = 0; i < Generations.MOST; i++) {
            before.add(generations.of(KEY, "m" + i));
        }
        assertThat(generations.all()).hasSize(Generations.MOST);

        generations.raise(Generations.ofModel("one more"), 0);

        assertThat(generations.all()).hasSize(1).containsKey(Generations.ALL);
        assertThat(generations.untold()).hasSize(1);
        for (int i = 0; i < Generations.MOST; i++) {
            assertThat(generations.of(KEY, "m" + i)).isGreaterThan(before.get(i));
        }
    }

    @Test
    void whatIsRaisedAgainWhileItIsToldIsToldAgain() {
        generations.raise(Generations.ALL, 1);
        Map<String, Long> told = generations.untold();
        generations.raise(Generations.ALL, 1);

        generations.onTold(told);
        assertThat(generations.untold()).containsOnlyKeys(Generations.ALL);
        generations.onTold(generations.untold());
        assertThat(generations.untold()).isEmpty();
    }

    @Test
    void ourCountersAreKnownToWhoHasThemOrMore() {
        generations.raise(Generations.ofModel("m"), 7);

        assertThat(generations.areKnownTo(Map.of())).isFalse();
        assertThat(generations.areKnownTo(generations.all())).isTrue();
        assertThat(generations.areKnownTo(Map.of(Generations.ALL, 8L))).isTrue();
        assertThat(generations.areKnownTo(Map.of(Generations.ofModel("m"), 6L))).isFalse();
    }

    /** Three replicas store, purge and hear each other in any order; then all hear all. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void whatWasPurgedNeverComesBack(long seed) {
        Random random = new Random(seed);
        for (int run = 0; run < 200; run++) {
            List<Generations> replicas = List.of(new Generations(), new Generations(), new Generations());
            Generations redis = new Generations();
            List<Entry> purged = new ArrayList<>();
            List<Entry> kept = new ArrayList<>();
            for (int step = 0; step < 40; step++) {
                Generations one = replicas.get(random.nextInt(replicas.size()));
                switch (random.nextInt(5)) {
                    case 0 -> kept.add(new Entry(random, one));
                    case 1 -> {
                        String field = field(random);
                        one.raise(field, 0);
                        kept.stream().filter(entry -> entry.isMeantBy(field)).forEach(purged::add);
                    }
                    case 2 ->
                        one.merge(replicas.get(random.nextInt(replicas.size())).all());
                    default -> tell(one, redis);
                }
            }
            for (int round = 0; round < 2; round++) {
                replicas.forEach(one -> tell(one, redis));
            }
            for (Entry entry : purged) {
                assertThat(replicas).noneMatch(entry::isSeenBy);
            }
        }
    }

    private static void tell(Generations one, Generations redis) {
        Map<String, Long> untold = one.untold();
        redis.merge(one.all());
        untold.keySet().forEach(field -> redis.raise(field, 0));
        one.merge(redis.all());
        one.onTold(untold);
    }

    private static String field(Random random) {
        return switch (random.nextInt(3)) {
            case 0 -> Generations.ALL;
            case 1 -> Generations.ofModel("m" + random.nextInt(2));
            default -> Generations.ofKey(random.nextBoolean() ? KEY : OTHER_KEY);
        };
    }

    private record Entry(CacheKey key, String model, long generation) {
        Entry(Random random, Generations where) {
            this(random.nextBoolean() ? KEY : OTHER_KEY, "m" + random.nextInt(2), where);
        }

        private Entry(CacheKey key, String model, Generations where) {
            this(key, model, where.of(key, model));
        }

        boolean isMeantBy(String field) {
            return field.equals(Generations.ALL)
                    || field.equals(Generations.ofModel(model))
                    || field.equals(Generations.ofKey(key));
        }

        boolean isSeenBy(Generations where) {
            return where.of(key, model) == generation;
        }
    }
}
