package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.config.DroverConfig.Jwt;
import io.drover.testing.Await;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class JwtAuthenticatorTest {
    private static final long NOW = 1_800_000_000_000L;
    private static final Duration OFTEN = Duration.ofMillis(1);
    private static final Duration SELDOM = PublishedKeys.FETCH_LEAST;
    private static final RSAKey OLD = Tokens.rsa("old");
    private static final RSAKey NEW = Tokens.rsa("new");

    private final ExecutorService serving = Executors.newCachedThreadPool();
    private final AtomicInteger fetches = new AtomicInteger();
    private final Path directory;
    private volatile String set = Tokens.published(OLD);
    private volatile int status = 200;
    private HttpServer provider;
    private @Nullable JwtAuthenticator opened;

    JwtAuthenticatorTest(@TempDir Path directory) throws IOException {
        this.directory = directory;
        provider = provider(0);
    }

    private HttpServer provider(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(serving);
        server.createContext("/keys", this::serve);
        server.createContext("/huge", exchange -> answer(exchange, "x".repeat((1 << 20) + 1)));
        server.createContext("/moved", exchange -> {
            exchange.getResponseHeaders().set("Location", "/keys");
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
        });
        return server;
    }

    private void serve(HttpExchange exchange) throws IOException {
        fetches.incrementAndGet();
        answer(exchange, set);
    }

    private void answer(HttpExchange exchange, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    @BeforeEach
    void start() {
        provider.start();
    }

    @AfterEach
    void stop() {
        if (opened != null) {
            opened.close();
        }
        provider.stop(0);
        serving.shutdownNow();
    }

    @Test
    void aTokenIsVerifiedByTheKeysOfTheAddressAndKnownFromThenOn() throws IOException {
        JwtAuthenticator tokens = open(address("/keys"), SELDOM);
        String token = token("anna", OLD);
        assertThat(known(tokens, token, NOW)).isNull();

        AuthVerdict verdict = verify(tokens, token);

        assertThat(verdict.principal()).extracting(Principal::name).isEqualTo("anna");
        assertThat(known(tokens, token, NOW)).isSameAs(verdict);
        assertThat(known(tokens, token, NOW + Tokens.HOUR + 59_999)).isSameAs(verdict);
        assertThat(known(tokens, token, NOW + Tokens.HOUR + 60_000)).isNull();
        assertThat(known(tokens, token + "x", NOW)).isNull();
        assertThat(fetches).hasValue(1);
    }

    @Test
    void aKeyThatIsNewIsFetchedWhenATokenNamesIt() throws IOException {
        JwtAuthenticator tokens = open(address("/keys"), OFTEN);
        assertThat(verify(tokens, token("anna", OLD)).principal()).isNotNull();
        set = Tokens.published(OLD, NEW);

        assertThat(verify(tokens, token("bert", NEW)).principal()).isNotNull();
        assertThat(verify(tokens, token("anna", OLD)).principal()).isNotNull();
    }

    @Test
    void aKeyThatIsWithdrawnEndsItsTokens() throws IOException {
        JwtAuthenticator tokens = open(address("/keys"), OFTEN);
        verify(tokens, token("anna", OLD));
        set = Tokens.published(NEW);
        verify(tokens, token("bert", NEW));

        assertThat(known(tokens, token("anna", OLD), NOW)).isNull();
        assertThat(verify(tokens, token("anna", OLD))).isEqualTo(TokenCheck.UNKNOWN_KEY);
    }

    @Test
    void howeverManyKeysAreUnknownTheProviderIsAskedOnce() throws IOException {
        JwtAuthenticator tokens = open(address("/keys"), SELDOM);
        verify(tokens, token("anna", OLD));

        for (int i = 0; i < 200; i++) {
            assertThat(verify(tokens, token("guest" + i, NEW))).isEqualTo(TokenCheck.UNKNOWN_KEY);
        }

        assertThat(fetches).hasValue(1);
    }

    @Test
    void withTheProviderAwayTokensAreRefusedForNowAndLaterTaken() throws IOException {
        int port = provider.getAddress().getPort();
        provider.stop(0);
        JwtAuthenticator tokens = open(address("/keys"), OFTEN);

        AuthVerdict refused = verify(tokens, token("anna", OLD));

        assertThat(refused).isEqualTo(AuthVerdict.NO_KEYS);
        assertThat(refused.isForNow()).isTrue();
        provider = provider(port);
        provider.start();
        Await.until(
                "the keys are there",
                Duration.ofSeconds(20),
                () -> verify(tokens, token("anna", OLD)).principal() != null);
    }

    @Test
    void whileFetchingFailsTheLastKeysStay() throws IOException {
        JwtAuthenticator tokens = open(address("/keys"), OFTEN);
        verify(tokens, token("anna", OLD));

        status = 500;
        assertThat(verify(tokens, token("eve", NEW))).isEqualTo(TokenCheck.UNKNOWN_KEY);
        status = 200;
        set = "<html>login</html>";
        assertThat(verify(tokens, token("eva", NEW))).isEqualTo(TokenCheck.UNKNOWN_KEY);

        assertThat(fetches).hasValueGreaterThanOrEqualTo(3);
        assertThat(known(tokens, token("anna", OLD), NOW)).isNotNull();
        assertThat(verify(tokens, token("bert", OLD)).principal()).isNotNull();
    }

    @Test
    void anAnswerThatIsTooLargeOrComesFromElsewhereIsNotTaken() {
        for (String path : List.of("/huge", "/moved", "/nothing")) {
            assertThatThrownBy(() -> new JwksAddress(address(path)).look())
                    .as(path)
                    .isInstanceOf(IOException.class)
                    .message()
                    .containsAnyOf("more than 1048576 bytes", "status 302", "status 404");
        }
    }

    @Test
    void anAnswerThatDoesNotEndIsNotWaitedFor() {
        provider.createContext("/slow", exchange -> {
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().flush();
        });

        assertThatThrownBy(() -> new JwksAddress(address("/slow"), Duration.ofMillis(300)).look())
                .isInstanceOf(IOException.class)
                .hasMessage("no answer within 300 ms");
    }

    @Test
    void keysOfAFileAreReadAgainWhenItChanges() throws IOException {
        Path file = directory.resolve("jwks.json");
        Files.writeString(file, Tokens.published(OLD));
        JwtAuthenticator tokens = open(auth(Optional.empty(), Optional.of(file), Tokens.AUDIENCE), OFTEN);
        assertThat(verify(tokens, token("anna", OLD)).principal()).isNotNull();

        Files.writeString(file, "rubbish");
        Files.writeString(directory.resolve("next"), Tokens.published(OLD, NEW));
        Files.move(directory.resolve("next"), file, StandardCopyOption.REPLACE_EXISTING);

        Await.until(
                "the key is there",
                Duration.ofSeconds(20),
                () -> verify(tokens, token("bert", NEW)).principal() != null);
    }

    @Test
    void aFileThatCannotBeUsedIsAnErrorAtTheStart() throws IOException {
        Path file = directory.resolve("jwks.json");
        assertThatThrownBy(() -> open(auth(Optional.empty(), Optional.of(file), ""), OFTEN))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ": no such file");

        Files.writeString(file, "rubbish");
        assertThatThrownBy(() -> open(auth(Optional.empty(), Optional.of(file), ""), OFTEN))
                .hasMessage(file + ": no JSON Web Key Set (expected: {\"keys\":[...]}, RFC 7517)");
    }

    @Test
    void aReloadChangesWhatIsAskedAndKeepsTheKeys() throws IOException {
        JwtAuthenticator tokens = open(address("/keys"), SELDOM);
        assertThat(verify(tokens, token("anna", OLD)).principal()).isNotNull();

        tokens.configure(auth(Optional.of(address("/keys")), Optional.empty(), "others"));

        assertThat(known(tokens, token("anna", OLD), NOW)).isNull();
        assertThat(verify(tokens, token("anna", OLD)).refusal()).isEqualTo("the token is for another audience");
        assertThat(fetches).hasValue(1);
    }

    @Test
    void aReloadToAFileThatCannotBeUsedChangesNothing() throws IOException {
        JwtAuthenticator tokens = open(address("/keys"), SELDOM);
        assertThat(verify(tokens, token("anna", OLD)).principal()).isNotNull();

        assertThatThrownBy(() -> tokens.configure(
                        auth(Optional.empty(), Optional.of(directory.resolve("nowhere")), Tokens.AUDIENCE)))
                .isInstanceOf(IOException.class);

        assertThat(known(tokens, token("anna", OLD), NOW)).isNotNull();
        assertThat(verify(tokens, token("bert", OLD)).principal()).isNotNull();
    }

    @Test
    void aReloadToAnotherPlaceTrustsItsKeysAlone() throws IOException {
        JwtAuthenticator tokens = open(address("/keys"), SELDOM);
        assertThat(verify(tokens, token("anna", OLD)).principal()).isNotNull();
        Path file = directory.resolve("jwks.json");
        Files.writeString(file, Tokens.published(NEW));

        tokens.configure(auth(Optional.empty(), Optional.of(file), Tokens.AUDIENCE));

        assertThat(verify(tokens, token("anna", OLD))).isEqualTo(TokenCheck.UNKNOWN_KEY);
        assertThat(verify(tokens, token("bert", NEW)).principal()).isNotNull();
    }

    @Test
    void aTokenOf16KiBIsReadAndALongerOneIsNot() throws IOException {
        JwtAuthenticator tokens = open(address("/keys"), SELDOM);
        String large = padded(OLD, 16_200);
        String tooLarge = padded(OLD, 16_500);

        assertThat(large.length()).isBetween(16_000, 16_384);
        assertThat(verify(tokens, large).principal()).isNotNull();
        assertThat(verify(tokens, tooLarge)).isEqualTo(known(tokens, tooLarge, NOW));
        assertThat(verify(tokens, tooLarge).refusal()).isEqualTo("the credential is longer than 16384 bytes");
    }

    private static String padded(JWK key, int length) {
        int bare = sign(Tokens.anna(NOW).claim("pad", "").build(), key).length();
        return sign(
                Tokens.anna(NOW)
                        .claim("pad", "x".repeat((length - bare) * 3 / 4))
                        .build(),
                key);
    }

    private JwtAuthenticator open(URI address, Duration least) throws IOException {
        return open(auth(Optional.of(address), Optional.empty(), Tokens.AUDIENCE), least);
    }

    private JwtAuthenticator open(Auth auth, Duration least) throws IOException {
        JwtAuthenticator tokens = JwtAuthenticator.open(auth, least);
        opened = tokens;
        return tokens;
    }

    private static Auth auth(Optional<URI> address, Optional<Path> file, String audience) {
        return new Auth(
                List.of(AuthMode.JWT),
                Optional.empty(),
                false,
                Optional.empty(),
                Duration.ofMillis(10),
                "/key/",
                100,
                new Jwt(
                        address,
                        file,
                        Tokens.ISSUER,
                        audience,
                        List.of("RS256"),
                        "sub",
                        "drover",
                        Duration.ofSeconds(60)));
    }

    private URI address(String path) {
        return URI.create("http://127.0.0.1:" + provider.getAddress().getPort() + path);
    }

    /** RSA signs the same the same way: a token for a name is one. */
    private static String token(String name, JWK key) {
        return sign(Tokens.anna(NOW).subject(name).build(), key);
    }

    private static String sign(JWTClaimsSet claims, JWK key) {
        return Tokens.sign(claims, key, JWSAlgorithm.RS256);
    }

    private static AuthVerdict verify(JwtAuthenticator tokens, String token) {
        return tokens.verify(token.getBytes(StandardCharsets.UTF_8), NOW)
                .toCompletableFuture()
                .orTimeout(30, TimeUnit.SECONDS)
                .join();
    }

    private static @Nullable AuthVerdict known(JwtAuthenticator tokens, String token, long nowMillis) {
        byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
        return tokens.known(bytes, 0, bytes.length, nowMillis);
    }
}
