package io.drover.admission;

import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import io.drover.config.DroverConfig.Auth;
import java.io.IOException;
import java.text.ParseException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The keys of an issuer in one place, an address or a file (RFC 7517 section 5). An address may be away: there are no keys
 * then, or those that came last. Any thread.
 */
final class PublishedKeys implements AutoCloseable {
    private static final Duration FETCH_EVERY = Duration.ofMinutes(10);

    /** However many tokens name keys that are not known, their issuer is not asked more often. */
    static final Duration FETCH_LEAST = Duration.ofSeconds(30);

    /** RFC 7518 section 3.3. */
    private static final int LEAST_RSA_BITS = 2048;

    private final boolean isFile;
    private final Runnable onChange;
    private final LiveText text;
    private volatile @Nullable JWKSet keys;

    /**
     * @param fetchLeast how long after a fetch the next may come
     * @param onChange is told, on a thread of this, when there are other keys
     */
    PublishedKeys(Auth auth, Duration fetchLeast, Runnable onChange) {
        this.isFile = auth.jwt().jwksUri().isEmpty();
        this.onChange = onChange;
        this.text = auth.jwt()
                .jwksUri()
                .map(uri -> new LiveText(new JwksAddress(uri), this::accept, FETCH_EVERY, fetchLeast, "drover-jwks"))
                .orElseGet(() -> new LiveText(
                        new WatchedFile(auth.jwt().jwksFile().orElseThrow()),
                        this::accept,
                        auth.refresh(),
                        auth.refresh(),
                        "drover-jwks"));
    }

    /** Whether {@code next} means another place than {@code last}, or one that is looked at in another rhythm. */
    static boolean differ(Auth last, Auth next) {
        return !last.jwt().jwksUri().equals(next.jwt().jwksUri())
                || !last.jwt().jwksFile().equals(next.jwt().jwksFile())
                || (next.jwt().jwksUri().isEmpty() && !last.refresh().equals(next.refresh()));
    }

    /**
     * Looks from now on; a file has been read on return.
     *
     * @throws IOException if the file cannot be used; the message says why
     */
    void start() throws IOException {
        if (isFile) {
            text.require();
        }
        text.start();
    }

    /** Null as long as none have come. */
    @Nullable
    JWKSet keys() {
        return keys;
    }

    /** How many different sets have come. */
    int count() {
        return text.accepted();
    }

    /** Whether there is a set after the {@code seen}th; one is fetched unless that was done just now. Never fails. */
    CompletionStage<Boolean> newerThan(int seen) {
        return text.newerThan(seen, System.nanoTime());
    }

    private void accept(String set) throws IOException {
        keys = parse(set);
        onChange.run();
    }

    /** Symmetric keys are left out: nobody could publish one. So are RSA keys too short to prove anything. */
    static JWKSet parse(String set) throws IOException {
        try {
            List<JWK> usable = JWKSet.parse(set).toPublicJWKSet().getKeys().stream()
                    .filter(key -> !(key instanceof RSAKey) || key.size() >= LEAST_RSA_BITS)
                    .toList();
            if (usable.isEmpty()) {
                throw new IOException("no key for signatures (expected: a public RSA key of " + LEAST_RSA_BITS
                        + " bits or more, or an EC key)");
            }
            return new JWKSet(usable);
        } catch (ParseException | RuntimeException malformed) {
            // JSON's null makes the parser throw a NullPointerException. Without the parser's words, which may quote a
            // private key.
            throw new IOException("no JSON Web Key Set (expected: {\"keys\":[...]}, RFC 7517)");
        }
    }

    /** Looks no more. */
    @Override
    public void close() {
        text.close();
    }
}
