package io.drover.bench;

import java.io.IOException;

/** One thing that is measured of each contender in turn. */
interface Measurement {
    /** What its figures are called together. */
    String group();

    /** Lets a contender grow warm for it; nothing is counted. */
    void warm(RunningProxy proxy) throws IOException;

    /** What all contenders of a round are held against; nothing for most. */
    default void beginRound(Results results) throws IOException {}

    /** Measures once. */
    void measure(RunningProxy proxy, Results results) throws IOException;
}
