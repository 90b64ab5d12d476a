package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class UsersTest {
    private static final String APR1 = "$apr1$Saltsalt$UwHhiaI9NUwAVNq2pt6BS.";
    private static final String SHA = "{SHA}NMfTLf4kql4x98PMVl16orqGin0=";
    private static final byte[] PASSWORD = "pass:wörd".getBytes(StandardCharsets.UTF_8);

    @Test
    void eachLineIsAUser() throws IOException {
        Users users = Users.parse("# users\n\nanna:" + APR1 + "\r\nbert:" + SHA + ":a comment as in Nginx\n");

        assertThat(users.size()).isEqualTo(2);
        assertThat(users.have("anna", PASSWORD)).isTrue();
        assertThat(users.have("bert", PASSWORD)).isTrue();
        assertThat(users.have("bert", new byte[0])).isFalse();
    }

    @Test
    void aByteOrderMarkIsNoPartOfAName() throws IOException {
        assertThat(Users.parse("\ufeffanna:" + APR1).have("anna", PASSWORD)).isTrue();
    }

    @Test
    void anUnknownUserIsNobodyWithAnybodysPassword() throws IOException {
        Users users = Users.parse("anna:" + APR1);

        assertThat(users.have("carl", PASSWORD)).isFalse();
        assertThat(users.have("", PASSWORD)).isFalse();
        assertThat(Users.NONE.have("anna", PASSWORD)).isFalse();
    }

    /** A tenth of a second each: what else takes time does not count beside it. */
    @Test
    void anUnknownUserCostsAsMuchAsAWrongPassword() throws IOException {
        Users users = Users.parse("anna:$2y$11$abcdefghijklmnopqrstuufCq7KSx/yTY1N2WBDUpQoHYqabOcAn2");

        long wrong = leastNanos(users, "anna");
        long unknown = leastNanos(users, "nobody");

        assertThat(unknown).isBetween(wrong / 4, wrong * 4);
        assertThat(unknown).isGreaterThan(5_000_000);
    }

    private static long leastNanos(Users users, String name) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            long start = System.nanoTime();
            assertThat(users.have(name, PASSWORD)).isFalse();
            least = Math.min(least, System.nanoTime() - start);
        }
        return least;
    }

    @Test
    void mistakesAreToldByTheirLinesAndNotByWhatStandsThere() {
        assertThatThrownBy(
                        () -> Users.parse("anna:" + APR1 + "\nbert:s3cret\n# fine\ns3cret\n:" + APR1 + "\nanna:" + SHA))
                .isInstanceOf(IOException.class)
                .hasMessage("line 2: a hash of an unknown form (expected: " + PasswordHash.EXPECTED + "); "
                        + "line 4: no user (expected: name:hash); "
                        + "line 5: no user (expected: name:hash); "
                        + "line 6: a user for the second time (expected: one line for each)");
    }

    @Test
    void ofManyMistakesTheFirstAreTold() {
        assertThatThrownBy(() -> Users.parse("s3cret\n".repeat(1000)))
                .hasMessageContaining("line 10: ")
                .hasMessageEndingWith("; and 990 more")
                .message()
                .doesNotContain("line 11:", "s3cret");
    }
}
