package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.admission.CredentialCheck.Checked;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class VerificationsTest {
    private static final int LONGEST = 100;
    private static final int WAITING = 3;
    private static final int CACHED = 10;
    private static final AuthVerdict ANNA = AuthVerdict.of(Principal.named("anna"));
    private static final AuthVerdict WRONG = AuthVerdict.refused(AuthVerdict.Reason.UNKNOWN, "wrong");

    private final AtomicInteger checks = new AtomicInteger();
    private final CountDownLatch opened = new CountDownLatch(1);
    private final Verifications verifications = new Verifications("drover-test", LONGEST, WAITING, this::check, CACHED);

    /** Good credentials begin with {@code good}, are good until 1000, and those that say so take their time. */
    private Checked check(byte[] credential, long nowMillis) {
        checks.incrementAndGet();
        String text = new String(credential, StandardCharsets.UTF_8);
        if (text.contains("slow")) {
            await();
        }
        if (text.contains("error")) {
            throw new StackOverflowError("in a test");
        }
        if (text.contains("fault")) {
            throw new IllegalStateException("of ours");
        }
        return text.startsWith("good") ? new Checked(ANNA, 1000) : Checked.refused(WRONG, nowMillis);
    }

    private void await() {
        try {
            opened.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @AfterEach
    void close() {
        opened.countDown();
        verifications.close();
    }

    @Test
    void whatWasVerifiedIsKnownAsLongAsItHolds() {
        assertThat(known("good", 0)).isNull();
        assertThat(verify("good", 0)).isSameAs(ANNA);

        assertThat(known("good", 0)).isSameAs(ANNA);
        assertThat(known("good", 999)).isSameAs(ANNA);
        assertThat(known("good", 1000)).isNull();
        assertThat(known("goof", 0)).isNull();
    }

    @Test
    void aCredentialIsFoundWhereverItStands() {
        verify("good", 0);
        byte[] head = "Authorization: Bearer good\r\n".getBytes(StandardCharsets.UTF_8);

        assertThat(verifications.known(head, 22, 26, 0)).isSameAs(ANNA);
        assertThat(verifications.known(head, 22, 27, 0)).isNull();
    }

    @Test
    void aRefusalIsKnownForSeconds() {
        verify("bad", 5000);

        assertThat(known("bad", 5000)).isSameAs(WRONG);
        assertThat(known("bad", 5000 + CredentialCheck.REFUSED_MILLIS)).isNull();
    }

    @Test
    void guessesDoNotTakeThePlaceOfWhoWasLetIn() {
        for (int i = 0; i < CACHED; i++) {
            verify("good" + i, 0);
        }
        for (int i = 0; i < 5_000; i++) {
            verify("bad" + i, 0);
        }

        for (int i = 0; i < CACHED; i++) {
            assertThat(known("good" + i, 0)).isSameAs(ANNA);
        }
    }

    @Test
    void atOnceTheSameIsVerifiedOnce() {
        List<CompletableFuture<AuthVerdict>> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            all.add(begin("good and slow"));
        }
        opened.countDown();

        assertThat(all).allSatisfy(one -> assertThat(one.join()).isSameAs(ANNA));
        assertThat(checks).hasValue(1);
    }

    @Test
    void whereTooManyWaitAFurtherOneIsToldToComeAgain() {
        List<CompletableFuture<AuthVerdict>> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            all.add(begin("good and slow " + i));
        }
        CompletableFuture<AuthVerdict> last = all.get(49);

        assertThat(last).isCompletedWithValue(AuthVerdict.BUSY);
        assertThat(AuthVerdict.BUSY.isForNow()).isTrue();
        assertThat(known("good and slow 49", 0)).isNull();
        opened.countDown();
        assertThat(all.get(0).join()).isSameAs(ANNA);
        assertThat(all.stream().filter(one -> one.join().equals(ANNA)).count()).isBetween(WAITING + 1L, WAITING + 2L);
        assertThat(verify("good and slow 49", 0)).isSameAs(ANNA);
    }

    @Test
    void whatIsTooLongIsRefusedUnread() {
        String longest = "good" + "x".repeat(LONGEST - 4);
        assertThat(verify(longest, 0)).isSameAs(ANNA);
        assertThat(known(longest + "x", 0))
                .isEqualTo(
                        AuthVerdict.refused(AuthVerdict.Reason.MALFORMED, "the credential is longer than 100 bytes"));
        assertThat(verify(longest + "x", 0).principal()).isNull();
        assertThat(checks).hasValue(1);
    }

    @Test
    void aFaultIsARefusal() {
        assertThat(verify("good fault", 0))
                .isEqualTo(AuthVerdict.refused(AuthVerdict.Reason.UNAVAILABLE, "the credential cannot be verified"));
        assertThat(verify("good", 0)).isSameAs(ANNA);
    }

    /** Else whoever sends it would wait for ever, and the next one with the same. */
    @Test
    void soIsAnError() {
        assertThat(begin("good error").orTimeout(20, TimeUnit.SECONDS).join().refusal())
                .isEqualTo("the credential cannot be verified");
        assertThat(verify("good", 0)).isSameAs(ANNA);
    }

    @Test
    void nothingIsKnownWhenItIsCheckedAgainstSomethingElse() {
        verify("good", 0);
        CompletableFuture<AuthVerdict> late = begin("good and slow");

        verifications.follow((credential, nowMillis) -> Checked.refused(WRONG, nowMillis), CACHED);
        opened.countDown();

        assertThat(late.join()).isSameAs(ANNA);
        assertThat(known("good", 0)).isNull();
        assertThat(known("good and slow", 0)).isNull();
        assertThat(verify("good", 0)).isSameAs(WRONG);
    }

    @Test
    void onceClosedEverybodyIsToldToComeAgain() {
        verifications.close();

        assertThat(verify("good", 0)).isEqualTo(AuthVerdict.BUSY);
    }

    private CompletableFuture<AuthVerdict> begin(String credential) {
        return verifications
                .verify(credential.getBytes(StandardCharsets.UTF_8), 0)
                .toCompletableFuture();
    }

    private AuthVerdict verify(String credential, long nowMillis) {
        return verifications
                .verify(credential.getBytes(StandardCharsets.UTF_8), nowMillis)
                .toCompletableFuture()
                .orTimeout(Duration.ofSeconds(30).toSeconds(), java.util.concurrent.TimeUnit.SECONDS)
                .join();
    }

    private @Nullable AuthVerdict known(String credential, long nowMillis) {
        byte[] bytes = credential.getBytes(StandardCharsets.UTF_8);
        return verifications.known(bytes, 0, bytes.length, nowMillis);
    }
}
