package io.drover.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Small requests until a proxy is at its best, before anything is measured. Some are so at once; a JVM compiles for
 * seconds, longer where its compilers share one core with what they compile.
 */
final class WarmUp {
    private static final Duration SLICE = Duration.ofSeconds(1);
    private static final int CONNECTIONS = 128;
    /** Slices in a row that were no faster than the best before them: the end. */
    private static final int ENOUGH = 2;

    private static final double FASTER = 1.03;

    private final Wrk wrk;
    private final String[] arguments;
    private final int most;

    /**
     * @param script of wrk
     * @param most this long at most, for each
     * @param arguments of the script
     */
    WarmUp(Path script, Duration most, String... arguments) {
        wrk = new Wrk(script, CONNECTIONS);
        this.arguments = arguments;
        this.most = (int) most.dividedBy(SLICE);
    }

    void run(RunningProxy proxy) throws IOException {
        double best = 0;
        int same = 0;
        for (int slice = 0; slice < most && same < ENOUGH; slice++) {
            double rate = wrk.run(proxy.port(), SLICE, arguments).requestsPerSecond();
            same = rate > FASTER * best ? 0 : same + 1;
            best = Math.max(best, rate);
        }
    }
}
