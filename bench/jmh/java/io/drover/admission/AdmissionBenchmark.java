package io.drover.admission;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.drover.config.Cidr;
import io.drover.config.DroverConfig.Access;
import io.drover.config.DroverConfig.Limits;
import io.drover.config.DroverConfig.RateLimit;
import io.drover.config.LimitKey;
import io.drover.config.Rate;
import io.drover.config.SecretHash;
import io.drover.ollama.ModelName;
import io.netty.util.NetUtil;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What admission costs a request: an allow list of addresses, an API key by its secret, an allow list of models, a limit
 * on requests, one on tokens with its settlement, and a count in flight.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class AdmissionBenchmark {
    private static final LimitKey KEY = new LimitKey(LimitKey.By.API_KEY, "");
    private static final Rate FAST = new Rate(1_000_000, TimeUnit.SECONDS);

    private final Limiter limiter = new Limiter(
            new Limits(
                    1,
                    1,
                    1,
                    1,
                    0,
                    100,
                    List.of(limit("requests", 1_000_000)),
                    List.of(limit("tokens", 1_000_000_000)),
                    500,
                    List.of(),
                    Optional.empty(),
                    100_000,
                    false,
                    Duration.ofMillis(100),
                    List.of()),
            LimitObserver.NONE,
            System::currentTimeMillis,
            null);
    private final AccessList access = new AccessList(new Access(
            List.of(
                    new Cidr(NetUtil.createInetAddressFromIpAddressString("10.0.0.0"), 8),
                    new Cidr(NetUtil.createInetAddressFromIpAddressString("192.0.2.0"), 24)),
            List.of()));
    private final IpAddress from = IpAddress.of(NetUtil.createInetAddressFromIpAddressString("192.0.2.1"));
    private final byte[] secret = "drover_0123456789abcdefghijklmnopqrstuvwxyz01234567".getBytes(US_ASCII);
    private final Charge charge = new Charge();
    private final Known request = new Known();
    private final ApiKeys keys =
            new ApiKeys(List.of(KeyLine.of(SecretHash.of(Sha256.of(secret, 0, secret.length)), request.principal)));
    private long nowNanos;

    private static RateLimit limit(String name, int burst) {
        return new RateLimit(name, KEY, FAST, burst, Duration.ZERO, List.of("/api/*"), List.of(), List.of());
    }

    /** A caller with a key that may ask for some models. */
    private static final class Known implements LimitedRequest {
        private final ModelName model = ModelName.of("llama3.2:3b");
        private final Principal principal = new Principal(
                "team-a",
                "",
                Patterns.of(List.of("qwen*", "mistral*", "llama3*")),
                Patterns.ALL,
                Allowance.ANY,
                "",
                Optional.empty(),
                true);

        @Override
        public String address() {
            return "192.0.2.1";
        }

        @Override
        public @Nullable Principal principal() {
            return principal;
        }

        @Override
        public @Nullable ModelName modelName() {
            return model;
        }

        @Override
        public String path() {
            return "/api/chat";
        }

        @Override
        public @Nullable String header(String name) {
            return null;
        }

        @Override
        public boolean usesTokens() {
            return true;
        }
    }

    @Benchmark
    public long admittedAndSettled() {
        nowNanos += 1_000_000;
        charge.reset();
        if (!access.allows(from)
                || keys.verdict(Sha256.of(secret, 0, secret.length), 0).principal() == null) {
            throw new IllegalStateException("refused (expected: address and key are good)");
        }
        long answer = limiter.atHead(request, charge, nowNanos);
        answer |= request.principal.models().allow(request.model.requested()) ? 0 : -1;
        answer |= limiter.atModel(request, charge, 100, 400, nowNanos);
        limiter.settle(charge, 90, 100, 1, nowNanos);
        return answer;
    }
}
