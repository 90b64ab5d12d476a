package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.config.DroverConfig.Jwt;
import io.drover.testing.Await;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@Timeout(60)
final class BasicAuthenticatorTest {
    private static final long NOW = 1_800_000_000_000L;
    private static final long MINUTES = Duration.ofMinutes(5).toMillis();
    private static final String ANNA = "anna:$2y$05$abcdefghijklmnopqrstuufCq7KSx/yTY1N2WBDUpQoHYqabOcAn2";
    private static final String EMPTY = "empty:$apr1$xyz$Pix4eE3fQHxJjb6LqtyMK1";
    private static final AuthVerdict WRONG = AuthVerdict.refused(AuthVerdict.Reason.UNKNOWN, "wrong user or password");

    private final Logger logger = (Logger) LoggerFactory.getLogger(LiveText.class);
    private final Queue<String> log = new ConcurrentLinkedQueue<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            log.add(event.getFormattedMessage());
        }
    };
    private final Path file;
    private final BasicAuthenticator users;

    BasicAuthenticatorTest(@TempDir Path directory) throws IOException {
        file = directory.resolve("users");
        Files.writeString(file, ANNA + "\n" + EMPTY + "\n");
        users = BasicAuthenticator.open(auth(file, 100));
    }

    @BeforeEach
    void nothingIsKnown() {
        appender.start();
        logger.addAppender(appender);
        assertThat(known("anna:pass:wörd", NOW)).isNull();
    }

    private void awaitLog(String text) {
        Await.until(text, Duration.ofSeconds(20), () -> log.stream()
                .anyMatch(line -> line.contains(file + ": ") && line.contains(text)));
        assertThat(log).noneMatch(line -> line.contains("s3cret"));
    }

    @AfterEach
    void close() {
        logger.detachAppender(appender);
        users.close();
    }

    @Test
    void aPasswordMayHoldColonsAndIsKnownForMinutes() {
        AuthVerdict verdict = verify("anna:pass:wörd");

        assertThat(verdict).isEqualTo(AuthVerdict.of(Principal.named("anna")));
        assertThat(known("anna:pass:wörd", NOW)).isSameAs(verdict);
        assertThat(known("anna:pass:wörd", NOW + MINUTES - 1)).isSameAs(verdict);
        assertThat(known("anna:pass:wörd", NOW + MINUTES)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"anna:pass", "anna:", ":", ":pass:wörd", "Anna:pass:wörd", "nobody:pass:wörd", "empty: "})
    void aWrongOrUnknownPairIsRefusedAndKnownToBeForSeconds(String pair) {
        assertThat(verify(pair)).isEqualTo(WRONG);

        assertThat(known(pair, NOW)).isEqualTo(WRONG);
        assertThat(known(pair, NOW + CredentialCheck.REFUSED_MILLIS)).isNull();
    }

    @Test
    void aPasswordMayBeEmpty() {
        assertThat(verify("empty:").principal()).isEqualTo(Principal.named("empty"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "####", "YW5uYQ==", "YW5uYTo=YQ==", "YW5uYTr/", "YW5uYTphAGI=", "YW5u\nYTph"})
    void whatIsNoPairOfTextsIsMalformed(String credential) {
        assertThat(verified(users, credential.getBytes(StandardCharsets.UTF_8)))
                .extracting(AuthVerdict::refusal)
                .asString()
                .startsWith("malformed Basic credentials");
    }

    @Test
    void whatIsTooLongIsRefused() {
        assertThat(verify("anna:" + "x".repeat(800)).refusal()).isEqualTo("the credential is longer than 1024 bytes");
        assertThat(verify("anna:" + "x".repeat(700))).isEqualTo(WRONG);
    }

    @Test
    void whenTheFileChangesNothingIsKnownAnyMore() throws IOException {
        verify("anna:pass:wörd");

        Files.writeString(file, EMPTY + "\n# anna has left us\n");

        Await.until("she is forgotten", Duration.ofSeconds(20), () -> known("anna:pass:wörd", NOW) == null);
        assertThat(verify("anna:pass:wörd")).isEqualTo(WRONG);
    }

    @Test
    void aFileWithMistakesOrNoneChangesNothing() throws IOException {
        AuthVerdict verdict = verify("anna:pass:wörd");

        Files.writeString(file, "carl:s3cret\n");
        awaitLog("line 1: a hash of an unknown form");
        assertThat(known("anna:pass:wörd", NOW)).isSameAs(verdict);
        Files.delete(file);
        awaitLog("no such file");

        assertThat(known("anna:pass:wörd", NOW)).isSameAs(verdict);
        assertThat(verify("empty:").principal()).isNotNull();
        Files.writeString(file, EMPTY);
        Await.until("it is read again", Duration.ofSeconds(20), () -> known("anna:pass:wörd", NOW) == null);
    }

    @Test
    void aFileThatCannotBeUsedIsAnErrorAtTheStart() throws IOException {
        Path other = file.resolveSibling("other");
        assertThatThrownBy(() -> BasicAuthenticator.open(auth(other, 1)))
                .isInstanceOf(IOException.class)
                .hasMessage(other + ": no such file");

        Files.writeString(other, ANNA + "\ncarl:s3cret\n");
        assertThatThrownBy(() -> BasicAuthenticator.open(auth(other, 1)))
                .hasMessage(other + ": line 2: a hash of an unknown form (expected: " + PasswordHash.EXPECTED + ")");

        Files.write(other, new byte[] {'a', (byte) 0xff});
        assertThatThrownBy(() -> BasicAuthenticator.open(auth(other, 1))).hasMessage(other + ": no UTF-8 text");
    }

    @Test
    void aReloadMayNameAnotherFile() throws IOException {
        verify("anna:pass:wörd");
        Path other = file.resolveSibling("other");
        assertThatThrownBy(() -> users.configure(auth(other, 100))).isInstanceOf(IOException.class);
        assertThat(known("anna:pass:wörd", NOW)).isNotNull();

        Files.writeString(other, EMPTY);
        users.configure(auth(other, 100));

        assertThat(verify("anna:pass:wörd")).isEqualTo(WRONG);
        assertThat(verify("empty:").principal()).isNotNull();
        users.configure(auth(other, 50));
        assertThat(verify("empty:").principal()).isNotNull();
    }

    /** A look that found something just before a reload comes to its end after it. */
    @Test
    void aFileThatIsNoLongerReadPutsNobodyBack() throws Exception {
        Path other = file.resolveSibling("other");
        Files.writeString(other, EMPTY);
        Thread looks = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("drover-users"))
                .findFirst()
                .orElseThrow();
        synchronized (users) {
            Files.writeString(file, ANNA + "\n");
            Await.until("it waits", Duration.ofSeconds(20), () -> looks.getState() == Thread.State.BLOCKED);
            users.configure(auth(other, 100));
        }
        looks.join(20_000);

        assertThat(looks.isAlive()).isFalse();
        assertThat(verify("empty:").principal()).isNotNull();
        assertThat(verify("anna:pass:wörd")).isEqualTo(WRONG);
    }

    private static Auth auth(Path file, int cached) {
        return new Auth(
                List.of(AuthMode.BASIC),
                Optional.empty(),
                false,
                Optional.of(file),
                Duration.ofMillis(10),
                "/key/",
                cached,
                new Jwt(Optional.empty(), Optional.empty(), "", "", List.of(), "sub", "", Duration.ZERO));
    }

    private AuthVerdict verify(String pair) {
        return verified(users, base64(pair));
    }

    private static AuthVerdict verified(BasicAuthenticator users, byte[] credential) {
        return users.verify(credential, NOW)
                .toCompletableFuture()
                .orTimeout(30, TimeUnit.SECONDS)
                .join();
    }

    private @Nullable AuthVerdict known(String pair, long nowMillis) {
        byte[] credential = base64(pair);
        return users.known(credential, 0, credential.length, nowMillis);
    }

    private static byte[] base64(String pair) {
        return Base64.getEncoder().encode(pair.getBytes(StandardCharsets.UTF_8));
    }
}
