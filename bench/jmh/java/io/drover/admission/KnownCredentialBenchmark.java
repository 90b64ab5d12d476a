package io.drover.admission;

import io.drover.admission.CredentialCheck.Checked;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What it costs to find a token or password that was verified before, and one that was not, among as many as are kept by
 * default. Happens once per request; nearly all of it is SHA-256.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "@conf/jvm.options")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class KnownCredentialBenchmark {
    private static final int KEPT = 10_000;
    private static final int LONGEST = 16 << 10;

    /** Bytes of a password in base64, of a token signed by an elliptic curve, of one by RSA with some claims. */
    @Param({"24", "350", "900"})
    int length;

    private final AuthVerdict anna = AuthVerdict.of(Principal.named("anna"));
    private final Verifications verifications = new Verifications(
            "bench", LONGEST, KEPT, (credential, nowMillis) -> new Checked(anna, Long.MAX_VALUE), KEPT);
    private byte[][] credentials = {};
    private byte[] stranger = {};

    /** A thread's place among the credentials. */
    @State(Scope.Thread)
    public static class Requests {
        private int next;

        /** Far from the one before, so that the caches of the processor do not help. */
        byte[] of(byte[][] credentials) {
            next = (next + 7_001) % credentials.length;
            return credentials[next];
        }
    }

    @Setup
    public void prepare() {
        Random random = new Random(1);
        credentials = new byte[KEPT / 2][length];
        for (byte[] credential : credentials) {
            random.nextBytes(credential);
            verifications.verify(credential, 0).toCompletableFuture().join();
        }
        stranger = new byte[length];
    }

    @TearDown
    public void close() {
        verifications.close();
    }

    @Benchmark
    public @Nullable AuthVerdict known(Requests requests) {
        byte[] credential = requests.of(credentials);
        return verifications.known(credential, 0, credential.length, 0);
    }

    @Benchmark
    public @Nullable AuthVerdict unknown() {
        return verifications.known(stranger, 0, stranger.length, 0);
    }
}
