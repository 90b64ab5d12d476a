package io.drover.admission;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.factories.DefaultJWSVerifierFactory;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.drover.admission.AuthVerdict.Reason;
import io.drover.config.DroverConfig.Jwt;
import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.text.ParseException;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Verifies tokens against one set of public keys (RFC 7519, RFC 8725). The token chooses neither the algorithm nor the kind
 * of key: only signatures by private keys are on the list, and each goes with its kind of key only. Immutable.
 */
final class TokenCheck implements CredentialCheck {
    /** The token may be good all the same, if its issuer has a newer key. */
    static final AuthVerdict UNKNOWN_KEY =
            AuthVerdict.refused(Reason.UNKNOWN, "the token is signed by a key that its issuer does not publish");

    private static final AuthVerdict NO_TOKEN =
            AuthVerdict.refused(Reason.MALFORMED, "no signed token (expected: a JWT, RFC 7519)");
    private static final AuthVerdict WRONG_SIGNATURE =
            AuthVerdict.refused(Reason.INVALID, "the token's signature is wrong");
    private static final AuthVerdict WRONG_CLAIMS =
            AuthVerdict.refused(Reason.INVALID, "the token's claims cannot be read");

    private static final AuthVerdict EXPIRED = AuthVerdict.refused(Reason.EXPIRED, "the token has expired");
    private static final AuthVerdict DISABLED = AuthVerdict.refused(Reason.DISABLED, "the token's claims disable it");

    /** A name gets into logs and tables. */
    private static final int LONGEST_NAME = 255;

    private final Jwt settings;
    private final long leewayMillis;
    private final DefaultJWSVerifierFactory verifiers = new DefaultJWSVerifierFactory();
    private final @Nullable JWSVerificationKeySelector<SecurityContext> keys;

    /** @param published the issuer's public keys; null as long as they are not known */
    TokenCheck(Jwt settings, @Nullable JWKSet published) {
        this.settings = settings;
        this.leewayMillis = settings.leeway().toMillis();
        this.keys = published == null
                ? null
                : new JWSVerificationKeySelector<>(
                        settings.algorithms().stream().map(JWSAlgorithm::parse).collect(Collectors.toSet()),
                        new ImmutableJWKSet<>(published));
    }

    @Override
    public Checked check(byte[] credential, long nowMillis) {
        if (keys == null) {
            return Checked.passing(AuthVerdict.NO_KEYS);
        }
        SignedJWT token;
        try {
            // Refuses what is not signed at all, which says "none", and what is encrypted.
            token = SignedJWT.parse(new String(credential, StandardCharsets.ISO_8859_1));
        } catch (ParseException | RuntimeException malformed) {
            // A head that is JSON's null makes the parser throw a NullPointerException.
            return Checked.refused(NO_TOKEN, nowMillis);
        }
        JWSHeader header = token.getHeader();
        if (!keys.isAllowed(header.getAlgorithm())) {
            return refused(
                    "the token's alg is not accepted (expected: " + String.join(" or ", settings.algorithms()) + ")",
                    nowMillis);
        }
        try {
            List<Key> candidates = keys.selectJWSKeys(header, null);
            if (candidates.isEmpty()) {
                return Checked.refused(UNKNOWN_KEY, nowMillis);
            }
            if (!isSignedByAny(token, candidates)) {
                return Checked.refused(WRONG_SIGNATURE, nowMillis);
            }
            return claims(token.getJWTClaimsSet(), nowMillis);
        } catch (JOSEException unusable) {
            return Checked.refused(WRONG_SIGNATURE, nowMillis);
        } catch (ParseException malformed) {
            return Checked.refused(WRONG_CLAIMS, nowMillis);
        }
    }

    private boolean isSignedByAny(SignedJWT token, List<Key> candidates) throws JOSEException {
        for (Key key : candidates) {
            if (token.verify(verifiers.createJWSVerifier(token.getHeader(), key))) {
                return true;
            }
        }
        return false;
    }

    private Checked claims(JWTClaimsSet claims, long nowMillis) throws ParseException {
        Date expires = claims.getExpirationTime();
        if (expires == null) {
            return refused("the token has no exp", nowMillis);
        }
        long untilMillis = later(expires.toInstant().toEpochMilli(), leewayMillis);
        if (nowMillis >= untilMillis) {
            return Checked.refused(EXPIRED, nowMillis);
        }
        Date from = claims.getNotBeforeTime();
        if (from != null && later(nowMillis, leewayMillis) < from.toInstant().toEpochMilli()) {
            return refused("the token is not valid yet", nowMillis);
        }
        if (!settings.issuer().isEmpty() && !settings.issuer().equals(claims.getIssuer())) {
            return refused("the token is of another issuer", nowMillis);
        }
        if (!settings.audience().isEmpty() && !claims.getAudience().contains(settings.audience())) {
            return refused("the token is for another audience", nowMillis);
        }
        return principal(claims, nowMillis, untilMillis);
    }

    private Checked principal(JWTClaimsSet claims, long nowMillis, long untilMillis) {
        if (!(claims.getClaim(settings.nameClaim()) instanceof String name) || !isName(name)) {
            return refused(
                    "the token has no name (expected: text in the claim " + settings.nameClaim() + ")", nowMillis);
        }
        Object said = settings.limitsClaim().isEmpty() ? null : claims.getClaim(settings.limitsClaim());
        if (said != null && !(said instanceof Map)) {
            return refused("the token's claim " + settings.limitsClaim() + " is no object", nowMillis);
        }
        try {
            Principal principal =
                    said == null ? Principal.named(name) : PrincipalFields.of(name, fields((Map<?, ?>) said));
            return enabled(until(principal, untilMillis), nowMillis);
        } catch (FieldsException wrong) {
            return refused("the token's claim " + settings.limitsClaim() + ": " + wrong.getMessage(), nowMillis);
        }
    }

    /** What is accepted is remembered and not looked at again: it must not hold for longer than its principal does. */
    private static Checked enabled(Principal principal, long nowMillis) {
        if (!principal.enabled()) {
            return Checked.refused(DISABLED, nowMillis);
        }
        long untilMillis = principal.expires().orElseThrow().toEpochMilli();
        return nowMillis < untilMillis
                ? new Checked(AuthVerdict.of(principal), untilMillis)
                : Checked.refused(EXPIRED, nowMillis);
    }

    private static boolean isName(String name) {
        return !name.isBlank() && name.length() <= LONGEST_NAME && name.chars().noneMatch(Character::isISOControl);
    }

    /** The names in a JSON object are text; null is a value like any other, and none that a field may have. */
    private static Map<String, @Nullable Object> fields(Map<?, ?> object) {
        Map<String, @Nullable Object> fields = new HashMap<>();
        object.forEach((name, value) -> fields.put(String.valueOf(name), value));
        return fields;
    }

    /** One that expires with its token, or sooner where it says so. */
    private static Principal until(Principal said, long untilMillis) {
        Instant token = Instant.ofEpochMilli(untilMillis);
        Instant expires = said.expires().filter(token::isAfter).orElse(token);
        return new Principal(
                said.name(),
                said.owner(),
                said.models(),
                said.paths(),
                said.allowance(),
                said.priority(),
                Optional.of(expires),
                said.enabled());
    }

    private static long later(long millis, long by) {
        return millis > Long.MAX_VALUE - by ? Long.MAX_VALUE : millis + by;
    }

    private static Checked refused(String why, long nowMillis) {
        return Checked.refused(AuthVerdict.refused(Reason.INVALID, why), nowMillis);
    }
}
