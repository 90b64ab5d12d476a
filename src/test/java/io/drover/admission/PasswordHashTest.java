package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hashes as others have made them: openssl passwd, libxcrypt, Openwall's published vectors. */
final class PasswordHashTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "$apr1$Saltsalt$UwHhiaI9NUwAVNq2pt6BS.",
                "$1$Saltsalt$Y7/ZtdSvn2FfgyVreRqtA.",
                "$5$Saltsalt$z5acMjV.N6WQV1CbkJVIhU18/qjs3vnPTh7JWqRAoN7",
                "$5$rounds=1234$Saltsalt$Q1dy8JFq24zd9WKIRYYpUyptjHfQomIEKoHIj8bRGbB",
                "$6$Saltsalt$3hvNXCxCjrDax3JgOAMG6gr/duVbsARxex3/PUtdYv1EVr/qWulR/168m9DgdvttUnoPZ/cEYo.6nOKCtvikF0",
                "{SHA}NMfTLf4kql4x98PMVl16orqGin0=",
                "{SSHA}rEqe1yVcy2awmf0VwKsynI9y4jlzYWx6",
                "$2a$05$abcdefghijklmnopqrstuufCq7KSx/yTY1N2WBDUpQoHYqabOcAn2",
                "$2b$05$abcdefghijklmnopqrstuufCq7KSx/yTY1N2WBDUpQoHYqabOcAn2",
                "$2y$05$abcdefghijklmnopqrstuufCq7KSx/yTY1N2WBDUpQoHYqabOcAn2"
            })
    void aHashMatchesItsPasswordAndNoOther(String text) {
        assertThat(matches(text, "pass:wörd")).isTrue();
        assertThat(matches(text, "pass:word")).isFalse();
        assertThat(matches(text, "pass:wörd ")).isFalse();
        assertThat(matches(text, "")).isFalse();
    }

    @Test
    void publishedVectorsMatch() {
        assertThat(matches("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"))
                .isTrue();
        assertThat(matches("$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq", "rasmuslerdorf"))
                .isTrue();
        assertThat(matches("$apr1$xyz$Pix4eE3fQHxJjb6LqtyMK1", "")).isTrue();
    }

    @Test
    void aLongPasswordEndsForBcryptWhereItEndedWhenItWasHashed() {
        String hash = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";

        assertThat(matches(hash, "a".repeat(72) + "xyz")).isTrue();
        assertThat(matches(hash, "a".repeat(71) + "xyz")).isFalse();
    }

    @Test
    void thePasswordIsLeftAsItWas() {
        byte[] password = "pass:wörd".getBytes(StandardCharsets.UTF_8);

        PasswordHash.parse("$apr1$Saltsalt$UwHhiaI9NUwAVNq2pt6BS.")
                .orElseThrow()
                .matches(password);

        assertThat(password).asString(StandardCharsets.UTF_8).isEqualTo("pass:wörd");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "secret",
                "abJnggxhB/yWI",
                "{PLAIN}secret",
                "{SHA}short",
                "{SHA}NMfTLf4kql4x98PMVl16orqGin0===",
                "{SSHA}NMfTLf4kql4x98PMVl16orqGin0=",
                "$apr1$Saltsalt$UwHhiaI9NUwAVNq2pt6BS",
                "$apr1$$UwHhiaI9NUwAVNq2pt6BS.",
                "$2x$05$abcdefghijklmnopqrstuufCq7KSx/yTY1N2WBDUpQoHYqabOcAn2",
                "$2y$03$abcdefghijklmnopqrstuufCq7KSx/yTY1N2WBDUpQoHYqabOcAn2",
                "$2y$18$abcdefghijklmnopqrstuufCq7KSx/yTY1N2WBDUpQoHYqabOcAn2",
                "$5$rounds=1000001$Saltsalt$Q1dy8JFq24zd9WKIRYYpUyptjHfQomIEKoHIj8bRGbB",
                "$6$Saltsalt$z5acMjV.N6WQV1CbkJVIhU18/qjs3vnPTh7JWqRAoN7",
                "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC"
            })
    void anythingElseIsNoHash(String text) {
        assertThat(PasswordHash.parse(text)).isEmpty();
    }

    private static boolean matches(String hash, String password) {
        return PasswordHash.parse(hash).orElseThrow().matches(password.getBytes(StandardCharsets.UTF_8));
    }
}
