package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.EncryptionMethod;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWEAlgorithm;
import com.nimbusds.jose.JWEHeader;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSAEncrypter;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.OctetSequenceKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.EncryptedJWT;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import io.drover.admission.CredentialCheck.Checked;
import io.drover.config.DroverConfig.Jwt;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TokenCheckTest {
    private static final long NOW = 1_800_000_000_000L;
    private static final long LEEWAY = 60_000;
    private static final RSAKey RSA = Tokens.rsa("rsa-1");
    private static final ECKey EC = Tokens.ec(Curve.P_256, "ec-1");

    private final TokenCheck check = check(List.of("RS256", "ES256"), RSA, EC);

    @ParameterizedTest
    @ValueSource(strings = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
    void aTokenSignedByRsaIsTaken(String algorithm) {
        String token = Tokens.sign(anna().build(), RSA, JWSAlgorithm.parse(algorithm));

        assertThat(nameOf(check(List.of(algorithm), RSA, EC), token)).isEqualTo("anna");
    }

    @ParameterizedTest
    @CsvSource({"ES256, P-256", "ES384, P-384", "ES512, P-521"})
    void aTokenSignedByAnEllipticCurveIsTaken(String algorithm, String curve) {
        ECKey key = Tokens.ec(Curve.parse(curve), "ec-2");
        String token = Tokens.sign(anna().build(), key, JWSAlgorithm.parse(algorithm));

        assertThat(nameOf(check(List.of(algorithm), RSA, key), token)).isEqualTo("anna");
    }

    @Test
    void itHoldsUntilItsEndAndTheLeeway() {
        Checked checked = checked(Tokens.sign(anna().build(), RSA, JWSAlgorithm.RS256));

        assertThat(checked.untilMillis()).isEqualTo(NOW + Tokens.HOUR + LEEWAY);
        assertThat(checked.verdict().principal())
                .extracting(Principal::expires)
                .isEqualTo(Optional.of(Instant.ofEpochMilli(NOW + Tokens.HOUR + LEEWAY)));
    }

    @ParameterizedTest
    @CsvSource({"-60001, expired", "-60000, expired", "-59999, ", "1, "})
    void anExpiredTokenIsRefusedWithLeeway(long endsInMillis, String refusal) {
        // A token counts whole seconds.
        long now = NOW - endsInMillis;
        String token = Tokens.sign(
                anna().expirationTime(Date.from(Instant.ofEpochMilli(NOW))).build(), RSA, JWSAlgorithm.RS256);

        String said = check.check(bytes(token), now).verdict().refusal();

        assertThat(said).isEqualTo(refusal == null ? "" : "the token has expired");
    }

    @ParameterizedTest
    @CsvSource({"60001, early", "60000, ", "-1, "})
    void anEarlyTokenIsRefusedWithLeeway(long beginsInMillis, String refusal) {
        String token = Tokens.sign(
                anna().notBeforeTime(Date.from(Instant.ofEpochMilli(NOW))).build(), RSA, JWSAlgorithm.RS256);

        String said = check.check(bytes(token), NOW - beginsInMillis).verdict().refusal();

        assertThat(said).isEqualTo(refusal == null ? "" : "the token is not valid yet");
    }

    @Test
    void aTokenNeedsAnEndAnIssuerAnAudienceAndAName() {
        assertThat(refusalOf(anna().expirationTime(null))).isEqualTo("the token has no exp");
        assertThat(refusalOf(anna().issuer("https://evil.example"))).isEqualTo("the token is of another issuer");
        assertThat(refusalOf(anna().issuer(null))).isEqualTo("the token is of another issuer");
        assertThat(refusalOf(anna().audience("others"))).isEqualTo("the token is for another audience");
        assertThat(refusalOf(anna().audience((String) null))).isEqualTo("the token is for another audience");
        assertThat(refusalOf(anna().audience(List.of("others", Tokens.AUDIENCE))))
                .isEmpty();
        String noName = "the token has no name (expected: text in the claim sub)";
        assertThat(refusalOf(anna().subject(null))).isEqualTo(noName);
        assertThat(refusalOf(anna().subject(" "))).isEqualTo(noName);
        assertThat(refusalOf(anna().subject("an\nna"))).isEqualTo(noName);
        assertThat(refusalOf(anna().subject("a".repeat(256)))).isEqualTo(noName);
    }

    @Test
    void claimsOfAnotherTypeAreRefused() {
        assertThat(refusalOf(anna().claim("exp", "tomorrow"))).isEqualTo("the token's claims cannot be read");
        assertThat(refusalOf(anna().claim("nbf", List.of()))).isEqualTo("the token's claims cannot be read");
    }

    @Test
    void anyIssuerAndAudienceDoWhereNoneIsConfigured() throws IOException {
        Jwt open = settings(List.of("RS256"), "", "", "email", "");
        TokenCheck anyone = new TokenCheck(open, PublishedKeys.parse(Tokens.published(RSA)));
        JWTClaimsSet claims =
                anna().issuer("x").audience("y").claim("email", "a@example.org").build();

        assertThat(nameOf(anyone, Tokens.sign(claims, RSA, JWSAlgorithm.RS256))).isEqualTo("a@example.org");
        JWTClaimsSet noText = anna().claim("email", 5).build();
        assertThat(nameOf(anyone, Tokens.sign(noText, RSA, JWSAlgorithm.RS256)))
                .isEqualTo("the token has no name (expected: text in the claim email)");
    }

    @Test
    void theLimitsClaimIsHandedOn() {
        JWTClaimsSet claims = anna().claim("drover", Map.of("owner", "physics", "in_flight", 3))
                .build();

        Principal principal =
                checked(Tokens.sign(claims, RSA, JWSAlgorithm.RS256)).verdict().principal();

        assertThat(principal).isNotNull();
        assertThat(principal.owner()).isEqualTo("physics");
        assertThat(principal.allowance().inFlight()).isEqualTo(3);
        assertThat(principal.expires()).isPresent();
    }

    /** What is accepted is remembered for as long as it holds. */
    @Test
    void theLimitsClaimMayEndATokenSooner() {
        Instant soon = Instant.ofEpochMilli(NOW).plusSeconds(60);
        JWTClaimsSet.Builder claims = anna().claim("drover", Map.of("expires", soon.toString()));

        Checked checked = checked(Tokens.sign(claims.build(), RSA, JWSAlgorithm.RS256));

        assertThat(checked.verdict().principal()).isNotNull();
        assertThat(checked.untilMillis()).isEqualTo(soon.toEpochMilli());
        assertThat(refusalOf(anna().claim("drover", Map.of("expires", "2020-01-01"))))
                .isEqualTo("the token has expired");
        assertThat(refusalOf(anna().claim("drover", Map.of("enabled", false))))
                .isEqualTo("the token's claims disable it");
    }

    @Test
    void aWrongLimitsClaimLetsNobodyIn() {
        assertThat(refusalOf(anna().claim("drover", Map.of("oops", 1)))).startsWith("the token's claim drover: ");
        assertThat(refusalOf(anna().claim("drover", "everything"))).isEqualTo("the token's claim drover is no object");
    }

    @Test
    void unsignedIsRefused() {
        assertNoToken(new PlainJWT(anna().build()).serialize());
        String[] parts = Tokens.sign(anna().build(), RSA, JWSAlgorithm.RS256).split("\\.");
        for (String alg : List.of("none", "None", "NONE", "")) {
            String header = base64("{\"alg\":\"" + alg + "\",\"kid\":\"rsa-1\"}");
            for (String signature : List.of("", parts[2])) {
                assertThat(refusal(header + "." + parts[1] + "." + signature)).isNotEmpty();
            }
        }
    }

    /** The attack of which RFC 8725 section 2.1 warns: the public key taken for a shared secret. */
    @Test
    void aPublicKeyIsNoSharedSecret() throws Exception {
        for (byte[] secret : List.of(
                RSA.toRSAPublicKey().getEncoded(),
                RSA.toPublicJWK().toJSONString().getBytes(StandardCharsets.UTF_8),
                RSA.getModulus().decode())) {
            SignedJWT forged = new SignedJWT(
                    new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("rsa-1").build(), anna().build());
            forged.sign(new MACSigner(secret));

            assertThat(refusal(forged.serialize()))
                    .isEqualTo("the token's alg is not accepted (expected: RS256 or ES256)");
        }
    }

    @Test
    void anAlgorithmThatIsNotConfiguredIsRefused() {
        String token = Tokens.sign(anna().build(), RSA, JWSAlgorithm.RS512);

        assertThat(refusal(token)).isEqualTo("the token's alg is not accepted (expected: RS256 or ES256)");
    }

    @Test
    void anAlgorithmGoesWithItsKindOfKeyOnly() {
        RSAKey namesake = Tokens.rsa("ec-1");

        assertThat(refusal(Tokens.sign(anna().build(), namesake, JWSAlgorithm.RS256)))
                .isEqualTo(TokenCheck.UNKNOWN_KEY.refusal());
    }

    @Test
    void aTokenThatBringsItsOwnKeyIsNotBelieved() throws Exception {
        RSAKey own = Tokens.rsa("rsa-1");
        SignedJWT token = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.RS256)
                        .keyID("rsa-1")
                        .jwk(own.toPublicJWK())
                        .build(),
                anna().build());
        token.sign(new RSASSASigner(own));

        assertThat(refusal(token.serialize())).isEqualTo("the token's signature is wrong");
    }

    @Test
    void anExtensionThatMustBeUnderstoodIsNot() throws Exception {
        SignedJWT token = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.RS256)
                        .keyID("rsa-1")
                        .customParam("x", 1)
                        .criticalParams(Set.of("x"))
                        .build(),
                anna().build());
        token.sign(new RSASSASigner(RSA));

        assertThat(refusal(token.serialize())).isEqualTo("the token's signature is wrong");
    }

    @Test
    void whatWasTamperedWithIsRefused() {
        String[] parts = Tokens.sign(anna().build(), RSA, JWSAlgorithm.RS256).split("\\.");
        String claims = new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
        String tampered = base64(claims.replace("anna", "root"));

        assertThat(refusal(parts[0] + "." + tampered + "." + parts[2])).isEqualTo("the token's signature is wrong");
        assertThat(refusal(parts[0] + "." + parts[1] + "." + parts[2].substring(4)))
                .isEqualTo("the token's signature is wrong");
        String other = Tokens.sign(anna().subject("root").build(), EC, JWSAlgorithm.ES256)
                .split("\\.")[2];
        assertThat(refusal(parts[0] + "." + parts[1] + "." + other)).isEqualTo("the token's signature is wrong");
    }

    @Test
    void aZeroSignatureOfAnEllipticCurveIsWrong() {
        String[] parts = Tokens.sign(anna().build(), EC, JWSAlgorithm.ES256).split("\\.");

        String zero = Base64.getUrlEncoder().withoutPadding().encodeToString(new byte[64]);
        assertThat(refusal(parts[0] + "." + parts[1] + "." + zero)).isEqualTo("the token's signature is wrong");
    }

    @Test
    void aKeyThatIsNotPublishedIsUnknown() {
        String token = Tokens.sign(anna().build(), Tokens.rsa("rsa-2"), JWSAlgorithm.RS256);

        assertThat(checked(token).verdict()).isEqualTo(TokenCheck.UNKNOWN_KEY);
    }

    @Test
    void anEncryptedTokenIsNotRead() throws Exception {
        EncryptedJWT token =
                new EncryptedJWT(new JWEHeader(JWEAlgorithm.RSA_OAEP_256, EncryptionMethod.A256GCM), anna().build());
        token.encrypt(new RSAEncrypter(RSA));

        assertNoToken(token.serialize());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..",
                "...",
                "a.b.c",
                "secret",
                "sk-0123456789",
                "eyJhbGciOiJSUzI1NiJ9",
                "eyJ9.e30.AA",
                "\0\1",
                "W10.e30.AA",
                "bnVsbA.bnVsbA.AA"
            })
    void garbageIsNoToken(String garbage) {
        assertNoToken(garbage);
    }

    @Test
    void deepJsonIsRefused() {
        String header = base64("{\"alg\":\"RS256\",\"x\":" + "[".repeat(5000) + "]".repeat(5000) + "}");

        assertThat(refusal(header + ".e30.AA")).isNotEmpty();
    }

    @Test
    void claimsThatAreNoJsonAreRefused() throws Exception {
        JWSObject token = new JWSObject(
                new JWSHeader.Builder(JWSAlgorithm.RS256)
                        .keyID("rsa-1")
                        .type(JOSEObjectType.JWT)
                        .build(),
                new Payload("no JSON"));
        token.sign(new RSASSASigner(RSA));

        assertThat(refusal(token.serialize())).isEqualTo("the token's claims cannot be read");
    }

    @Test
    void withoutKeysNothingIsSaidOfAToken() {
        TokenCheck keyless = new TokenCheck(settings(List.of("RS256"), "", "", "sub", ""), null);

        Checked checked = keyless.check(bytes("anything"), NOW);

        assertThat(checked).isEqualTo(Checked.passing(AuthVerdict.NO_KEYS));
        assertThat(checked.verdict().isForNow()).isTrue();
    }

    @Test
    void ofASetTheKeysForSignaturesCount() throws Exception {
        OctetSequenceKey shared = new OctetSequenceKeyGenerator(256).generate();
        RSAKey weak = new RSAKeyGenerator(1024, true).keyID("weak").generate();
        String set = "{\"keys\":[" + RSA.toJSONString() + "," + shared.toJSONString() + "," + weak.toJSONString()
                + ",{\"kty\":\"NEW\"}]}";

        assertThat(PublishedKeys.parse(set).getKeys()).containsExactly(RSA.toPublicJWK());
        assertThatThrownBy(() -> PublishedKeys.parse("{\"keys\":[" + shared.toJSONString() + "]}"))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("no key for signatures");
        for (String wrong : List.of("", "[]", "{}", "null", "<html>", "{\"keys\":5}", "{\"keys\":[5]}")) {
            assertThatThrownBy(() -> PublishedKeys.parse(wrong)).as(wrong).isInstanceOf(IOException.class);
        }
    }

    private static JWTClaimsSet.Builder anna() {
        return Tokens.anna(NOW);
    }

    private static TokenCheck check(List<String> algorithms, JWK... keys) {
        try {
            return new TokenCheck(
                    settings(algorithms, Tokens.ISSUER, Tokens.AUDIENCE, "sub", "drover"),
                    PublishedKeys.parse(Tokens.published(keys)));
        } catch (IOException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static Jwt settings(
            List<String> algorithms, String issuer, String audience, String nameClaim, String limitsClaim) {
        return new Jwt(
                Optional.empty(),
                Optional.empty(),
                issuer,
                audience,
                algorithms,
                nameClaim,
                limitsClaim,
                Duration.ofMillis(LEEWAY));
    }

    private Checked checked(String token) {
        return check.check(bytes(token), NOW);
    }

    private String refusalOf(JWTClaimsSet.Builder claims) {
        return refusal(Tokens.sign(claims.build(), RSA, JWSAlgorithm.RS256));
    }

    private String refusal(String token) {
        AuthVerdict verdict = checked(token).verdict();
        assertThat(verdict.principal() == null).isEqualTo(!verdict.refusal().isEmpty());
        return verdict.refusal();
    }

    private void assertNoToken(String text) {
        assertThat(refusal(text)).isEqualTo("no signed token (expected: a JWT, RFC 7519)");
    }

    private static String nameOf(TokenCheck check, String token) {
        AuthVerdict verdict = check.check(bytes(token), NOW).verdict();
        Principal principal = verdict.principal();
        return principal == null ? verdict.refusal() : principal.name();
    }

    private static byte[] bytes(String token) {
        return token.getBytes(StandardCharsets.UTF_8);
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
