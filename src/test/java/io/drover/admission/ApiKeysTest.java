package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.SecretHash;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ApiKeysTest {
    private static final long NOW = Instant.parse("2026-06-01T00:00:00Z").toEpochMilli();

    @Test
    void aKeyIsKnownByItsSecretsHash() {
        KeyLine alice = Keys.key("alice", "one");
        ApiKeys keys = new ApiKeys(List.of(alice, Keys.key("bob", "two")));

        assertThat(keys.verdict(Keys.digest("one"), NOW)).isSameAs(alice.verdict());
        assertThat(keys.verdict(Keys.digest("three"), NOW))
                .isEqualTo(AuthVerdict.refused(AuthVerdict.Reason.UNKNOWN, "unknown key"));
        assertThat(ApiKeys.NONE.verdict(Keys.digest("one"), NOW))
                .isEqualTo(AuthVerdict.refused(AuthVerdict.Reason.UNKNOWN, "unknown key"));
    }

    @Test
    void everyOneOfManyIsFound() {
        List<KeyLine> lines = new ArrayList<>();
        for (int i = 0; i < 1025; i++) {
            lines.add(Keys.key("key-" + i, "secret-" + i));
        }
        ApiKeys keys = new ApiKeys(lines);

        for (int i = 0; i < lines.size(); i++) {
            assertThat(keys.verdict(Keys.digest("secret-" + i), NOW))
                    .isSameAs(lines.get(i).verdict());
            assertThat(keys.verdict(Keys.digest("stranger-" + i), NOW)).isSameAs(ApiKeys.UNKNOWN);
        }
    }

    @Test
    void keysWhoseHashesBeginAlikeAreToldApart() {
        KeyLine first = KeyLine.of(SecretHash.of(digest(7, 1)), Principal.named("first"));
        KeyLine second = KeyLine.of(SecretHash.of(digest(7, 2)), Principal.named("second"));
        KeyLine neighbour = KeyLine.of(SecretHash.of(digest(8, 1)), Principal.named("neighbour"));
        ApiKeys keys = new ApiKeys(List.of(first, second, neighbour));

        assertThat(keys.verdict(digest(7, 1), NOW)).isSameAs(first.verdict());
        assertThat(keys.verdict(digest(7, 2), NOW)).isSameAs(second.verdict());
        assertThat(keys.verdict(digest(8, 1), NOW)).isSameAs(neighbour.verdict());
        assertThat(keys.verdict(digest(7, 3), NOW)).isSameAs(ApiKeys.UNKNOWN);
    }

    @Test
    void expiryIsAPointInTime() {
        ApiKeys keys = new ApiKeys(List.of(Keys.key("alice", "one", ",\"expires\":\"2026-06-01\"")));

        assertThat(keys.verdict(Keys.digest("one"), NOW - 1).principal()).isNotNull();
        assertThat(keys.verdict(Keys.digest("one"), NOW))
                .isEqualTo(AuthVerdict.refused(AuthVerdict.Reason.EXPIRED, "this key has expired"));
    }

    @Test
    void aDisabledKeyIsRefusedEvenIfItHasExpiredToo() {
        ApiKeys keys = new ApiKeys(List.of(Keys.key("alice", "one", ",\"enabled\":false,\"expires\":\"2020-01-01\"")));

        assertThat(keys.verdict(Keys.digest("one"), NOW))
                .isEqualTo(AuthVerdict.refused(AuthVerdict.Reason.DISABLED, "this key is disabled"));
    }

    /** Time is not measured here: what is compared is the same, and comparing takes the same time. */
    @Test
    void aWrongSecretIsComparedJustAsARightOne() {
        ApiKeys keys = new ApiKeys(List.of(Keys.key("alice", "one"), Keys.key("bob", "two")));
        List<String> secrets = List.of("one", "two", "three", "four", "five", "");

        for (String secret : secrets) {
            List<SecretHash> compared = new ArrayList<>();
            byte[] digest = Keys.digest(secret);
            keys.find(digest, (hash, candidate) -> {
                assertThat(candidate).isSameAs(digest);
                compared.add(hash);
                return hash.matches(candidate);
            });
            assertThat(compared).as(secret).hasSize(1);
        }
        List<SecretHash> compared = new ArrayList<>();
        ApiKeys.NONE.find(Keys.digest("one"), (hash, candidate) -> compared.add(hash) && hash.matches(candidate));
        assertThat(compared).hasSize(1);
    }

    @Test
    void theStandInLetsNobodyIn() {
        assertThat(ApiKeys.NONE.verdict(new byte[32], NOW).principal()).isNull();
        assertThat(ApiKeys.NONE.verdict(new byte[32], NOW))
                .isEqualTo(AuthVerdict.refused(AuthVerdict.Reason.UNKNOWN, "unknown key"));
    }

    @Test
    void theFirstSourceWinsByNameAndByHash() {
        KeyLine alice = Keys.key("alice", "one");
        ApiKeys keys = ApiKeys.of(
                List.of(alice), List.of(Keys.key("alice", "other"), Keys.key("malice", "one"), Keys.key("bob", "two")));

        assertThat(keys.size()).isEqualTo(2);
        assertThat(keys.verdict(Keys.digest("one"), NOW)).isSameAs(alice.verdict());
        assertThat(keys.verdict(Keys.digest("other"), NOW)).isSameAs(ApiKeys.UNKNOWN);
        assertThat(keys.verdict(Keys.digest("two"), NOW).principal()).isNotNull();
    }

    /** Of 32 bytes, with these as the first four and the last. */
    private static byte[] digest(int start, int end) {
        byte[] digest = new byte[32];
        digest[3] = (byte) start;
        digest[31] = (byte) end;
        return digest;
    }
}
