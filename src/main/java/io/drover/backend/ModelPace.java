package io.drover.backend;

/**
 * How fast one backend answers with one model, for people to look at. A value is NaN where nothing is known.
 *
 * @param model as a request spelled it
 * @param tokensPerSecond of late
 * @param usualTokensPerSecond over a long time, slow answers left out
 * @param firstTokenSeconds of late, from when the backend was given a request to the first byte of a stream; the time to
 *     load the model is not in it, waiting for a slot is
 * @param slow whether it was slow, and no answers have shown yet that it no longer is
 */
public record ModelPace(
        String model, double tokensPerSecond, double usualTokensPerSecond, double firstTokenSeconds, boolean slow) {}
