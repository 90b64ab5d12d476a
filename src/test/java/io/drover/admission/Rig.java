package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.Budget;
import io.drover.config.DroverConfig.Limits;
import io.drover.config.DroverConfig.Period;
import io.drover.config.DroverConfig.RateLimit;
import io.drover.config.LimitKey;
import io.drover.config.Rate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A limiter with clocks that are set by hand. */
final class Rig {
    static final long SECOND = 1_000_000_000;
    static final LimitKey CLIENT = key(LimitKey.By.CLIENT_IP);
    static final LimitKey API_KEY = key(LimitKey.By.API_KEY);
    static final LimitKey MODEL = key(LimitKey.By.MODEL);
    static final LimitKey ALL = key(LimitKey.By.ALL);

    final AtomicLong clock = new AtomicLong(-1000 * SECOND);
    final AtomicLong wall = new AtomicLong(Instant.parse("2026-11-21T12:00:00Z").toEpochMilli());
    final Map<String, Integer> refusals = new HashMap<>();
    final Map<String, Integer> delays = new HashMap<>();
    final List<RateLimit> requests = new ArrayList<>();
    final List<RateLimit> tokens = new ArrayList<>();
    final List<Budget> budgets = new ArrayList<>();
    int inFlight;
    int maxKeys = 1000;
    private @Nullable Limiter limiter;

    static LimitKey key(LimitKey.By by) {
        return new LimitKey(by, "");
    }

    static Rate perMinute(int count) {
        return new Rate(count, TimeUnit.MINUTES);
    }

    static RateLimit limit(String name, LimitKey key, int perMinute, int burst) {
        return new RateLimit(name, key, perMinute(perMinute), burst, Duration.ZERO, List.of(), List.of(), List.of());
    }

    static RateLimit delayed(String name, LimitKey key, int perMinute, int burst, int seconds) {
        Duration delay = Duration.ofSeconds(seconds);
        return new RateLimit(name, key, perMinute(perMinute), burst, delay, List.of(), List.of(), List.of());
    }

    static RateLimit scoped(String name, List<String> paths, List<String> models, List<String> keys) {
        return new RateLimit(name, ALL, perMinute(1), 1, Duration.ZERO, paths, models, keys);
    }

    static Budget budget(String name, Period per, long tokens, long gpuSeconds) {
        Duration gpuTime = Duration.ofSeconds(gpuSeconds);
        return new Budget(name, API_KEY, per, tokens, gpuTime, List.of(), List.of(), List.of());
    }

    Rig requests(RateLimit... limits) {
        requests.addAll(List.of(limits));
        return this;
    }

    Rig tokens(RateLimit... limits) {
        tokens.addAll(List.of(limits));
        return this;
    }

    Rig budgets(Budget... all) {
        budgets.addAll(List.of(all));
        return this;
    }

    Limits limits() {
        return new Limits(
                1,
                1,
                1,
                1,
                0,
                inFlight,
                requests,
                tokens,
                500,
                budgets,
                Optional.empty(),
                maxKeys,
                false,
                Duration.ofMillis(100),
                List.of());
    }

    Limiter limiter() {
        Limiter mine = limiter;
        if (mine == null) {
            mine = new Limiter(limits(), new Counted(), wall::get, null, clock::get);
            limiter = mine;
        }
        return mine;
    }

    private final class Counted implements LimitObserver {
        @Override
        public void onRefused(String limit) {
            refusals.merge(limit, 1, Integer::sum);
        }

        @Override
        public void onDelayed(String limit) {
            delays.merge(limit, 1, Integer::sum);
        }
    }

    /** Puts what the lists hold now in force. */
    void reload() {
        limiter = limiter().reconfigured(limits());
    }

    void pass(long seconds) {
        clock.addAndGet(seconds * SECOND);
        wall.addAndGet(seconds * 1000);
    }

    long head(Asked request, Charge charge) {
        return limiter().atHead(request, charge, clock.get());
    }

    /** Both stages, with an estimate of exactly so many tokens. */
    long both(Asked request, Charge charge, long tokens) {
        long first = head(request, charge);
        if (first < 0) {
            return first;
        }
        long second = limiter().atModel(request, charge, 1, tokens - 1, clock.get());
        return second < 0 ? second : Math.max(first, second);
    }

    boolean admitsHead(Asked request) {
        return head(request, new Charge()) >= 0;
    }

    boolean admits(Asked request, long tokens) {
        return both(request, new Charge(), tokens) >= 0;
    }

    int admittedOf(int asked, Asked request) {
        int admitted = 0;
        for (int i = 0; i < asked; i++) {
            admitted += admits(request, 1) ? 1 : 0;
        }
        return admitted;
    }

    void settle(Charge charge, long prompt, long generated, long gpuNanos) {
        limiter().settle(charge, prompt, generated, gpuNanos, clock.get());
    }

    /** How many tokens the bucket of this request has now, found by taking them and giving them back. */
    long room(Asked request) {
        Charge charge = new Charge();
        assertThat(both(request, charge, 1)).isZero();
        long left = charge.remaining() + 1;
        limiter().cancel(charge, clock.get());
        return left;
    }
}
