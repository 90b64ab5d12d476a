package io.drover.admission;

/** Tells whose a credential is, by what is known at one time: a set of keys, the users of a file. Any thread; takes its time. */
@FunctionalInterface
interface CredentialCheck {
    /** Refusals are remembered for so long: a flood of one wrong credential costs a look-up each, a mended one soon counts. */
    long REFUSED_MILLIS = 3_000;

    /**
     * @param credential the caller's; not kept, and not changed
     * @param nowMillis since the epoch
     */
    Checked check(byte[] credential, long nowMillis);

    /**
     * A verdict and how long it holds.
     *
     * @param untilMillis since the epoch, exclusive; 0: it is not remembered
     */
    record Checked(AuthVerdict verdict, long untilMillis) {
        static Checked passing(AuthVerdict verdict) {
            return new Checked(verdict, 0);
        }

        static Checked refused(AuthVerdict verdict, long nowMillis) {
            return new Checked(verdict, nowMillis + REFUSED_MILLIS);
        }
    }
}
