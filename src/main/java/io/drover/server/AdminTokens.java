package io.drover.server;

import io.drover.config.DroverConfig;
import io.drover.config.SecretHash;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Who may do what on the admin port, by the token that is sent (RFC 6750). Immutable; for any thread. */
final class AdminTokens {
    /** What a request's token is good for. */
    enum Verdict {
        ALLOWED,
        /** No token, or one that is not known. */
        UNKNOWN,
        /** That for the metrics, and something else was asked for. */
        METRICS_ONLY
    }

    /** Whoever watches the process must see it live without a secret; nothing else is told there. */
    private static final Set<String> OPEN = Set.of("/health", "/ready");

    private static final String SCHEME = "Bearer ";

    private final Optional<SecretHash> token;
    private final Optional<SecretHash> scrapeToken;

    AdminTokens(DroverConfig.Admin config) {
        token = config.tokenHash();
        scrapeToken = config.scrapeTokenHash();
    }

    Verdict of(String path, HttpHeaders headers) {
        if (token.isEmpty() || OPEN.contains(path)) {
            return Verdict.ALLOWED;
        }
        List<String> credentials = headers.getAll(HttpHeaderNames.AUTHORIZATION);
        // Two of them may be meant for two readers; whoever sends them has one too many.
        String sent = credentials.size() == 1 ? credentials.get(0) : "";
        if (!sent.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return Verdict.UNKNOWN;
        }
        byte[] digest = sha256(sent.substring(SCHEME.length()).strip());
        if (token.get().matches(digest)) {
            return Verdict.ALLOWED;
        }
        boolean scrapes = scrapeToken.isPresent() && scrapeToken.get().matches(digest);
        if (!scrapes) {
            return Verdict.UNKNOWN;
        }
        return path.equals("/metrics") ? Verdict.ALLOWED : Verdict.METRICS_ONLY;
    }

    private static byte[] sha256(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException never) {
            throw new IllegalStateException("every Java has SHA-256", never);
        }
    }
}
