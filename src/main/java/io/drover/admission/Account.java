package io.drover.admission;

import java.util.concurrent.atomic.AtomicLong;

/** What one key has used up of a budget in one day or month. For any thread. */
sealed interface Account permits Account.Local, SharedAccount {
    Term term();

    /** Whether it is known what was used up; else it will be shortly. */
    boolean isKnown(long nowNanos);

    /** Whether that is certain enough to refuse somebody by it; else it will be shortly. */
    boolean isCertain(long nowNanos);

    /** Below 0 where corrections came before what they correct. */
    long tokens();

    long gpuNanos();

    /** Adds what was used up, or below 0 takes back what was not. */
    void add(long tokens, long gpuNanos);

    /** One of this process alone, without a lock. */
    record Local(Term term, AtomicLong usedTokens, AtomicLong usedGpuNanos) implements Account {
        Local(Term term) {
            this(term, new AtomicLong(), new AtomicLong());
        }

        @Override
        public boolean isKnown(long nowNanos) {
            return true;
        }

        @Override
        public boolean isCertain(long nowNanos) {
            return true;
        }

        @Override
        public long tokens() {
            return usedTokens.get();
        }

        @Override
        public long gpuNanos() {
            return usedGpuNanos.get();
        }

        @Override
        public void add(long tokens, long gpuNanos) {
            usedTokens.addAndGet(tokens);
            usedGpuNanos.addAndGet(gpuNanos);
        }
    }
}
