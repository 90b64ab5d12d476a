package io.drover.admission;

import io.drover.config.Rate;
import java.time.Duration;
import java.util.Optional;

/**
 * How much one caller may ask for, besides what the configuration's limits say. Where something is not said it is not
 * limited here.
 *
 * @param requests how fast its bucket of requests fills
 * @param requestsBurst the size of that bucket; 0: what the rate gives in its unit of time
 * @param tokens how fast its bucket of tokens fills
 * @param tokensBurst the size of that bucket; 0: what the rate gives in its unit of time
 * @param tokensPerDay budget; 0: any number
 * @param tokensPerMonth budget; 0: any number
 * @param gpuTimePerDay budget; zero: any
 * @param gpuTimePerMonth budget; zero: any
 * @param inFlight most requests at once; 0: any number
 */
public record Allowance(
        Optional<Rate> requests,
        int requestsBurst,
        Optional<Rate> tokens,
        int tokensBurst,
        long tokensPerDay,
        long tokensPerMonth,
        Duration gpuTimePerDay,
        Duration gpuTimePerMonth,
        int inFlight) {

    /** Nothing is limited. */
    public static final Allowance ANY =
            new Allowance(Optional.empty(), 0, Optional.empty(), 0, 0, 0, Duration.ZERO, Duration.ZERO, 0);
}
