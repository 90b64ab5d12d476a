package io.drover.admission;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Tells whose a credential is. Any thread. */
public interface Authenticator {
    /**
     * What is known of a credential without waiting for anything. For event loops: short, and without allocation where it
     * is known.
     *
     * @param bytes holds it from {@code from} to {@code to}: the secret or token alone, of Basic the base64; the caller's
     * @param nowMillis since the epoch
     * @return null if it has to be {@linkplain #verify verified} first
     */
    @Nullable
    AuthVerdict known(byte[] bytes, int from, int to, long nowMillis);

    /**
     * Verifies a credential, on a thread of its own; never fails. Afterwards it is {@linkplain #known known} for a while.
     *
     * @param credential a copy
     * @param nowMillis since the epoch
     */
    CompletionStage<AuthVerdict> verify(byte[] credential, long nowMillis);
}
