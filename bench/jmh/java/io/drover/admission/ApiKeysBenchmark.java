package io.drover.admission;

import io.drover.config.SecretHash;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What an API key costs a request: the SHA-256 of its secret, the look-up and the comparison, for a secret that is right
 * and for one that is wrong, among one key or a million; and the SHA-256 by itself.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class ApiKeysBenchmark {
    /** Far from each other in the table, and more than the processor's nearest caches hold. */
    private static final int ASKED = 4096;

    private static final int SECRET_LENGTH = 50;

    @Param({"1", "1000000"})
    int number;

    private final byte[][] right = new byte[ASKED][];
    private final byte[][] wrong = new byte[ASKED][];
    private ApiKeys keys = ApiKeys.NONE;
    private int next;

    @Setup
    public void prepare() {
        List<KeyLine> lines = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            byte[] digest = Sha256.of(secret("drover_", i), 0, SECRET_LENGTH);
            Principal principal = Principal.named("key-" + i);
            lines.add(KeyLine.of(SecretHash.of(digest), principal));
        }
        keys = new ApiKeys(lines);
        for (int i = 0; i < ASKED; i++) {
            right[i] = secret("drover_", (int) ((long) i * number / ASKED));
            wrong[i] = secret("stranger_", i);
        }
    }

    private static byte[] secret(String start, int number) {
        String end = Integer.toString(number);
        String text = start + "x".repeat(SECRET_LENGTH - start.length() - end.length()) + end;
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private byte[] one(byte[][] secrets) {
        next = next + 1 & ASKED - 1;
        return secrets[next];
    }

    @Benchmark
    public AuthVerdict right() {
        return keys.verdict(Sha256.of(one(right), 0, SECRET_LENGTH), 0);
    }

    @Benchmark
    public AuthVerdict wrong() {
        return keys.verdict(Sha256.of(one(wrong), 0, SECRET_LENGTH), 0);
    }

    @Benchmark
    public byte[] sha256() {
        return Sha256.of(one(right), 0, SECRET_LENGTH);
    }
}
