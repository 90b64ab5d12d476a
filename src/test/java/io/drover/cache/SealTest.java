package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.config.ConfigException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SealTest {
    private static final byte[] NAME = bytes("drover:cache:a:1");
    private static final byte[] VALUE = bytes("a secret");

    private final Path dir;

    SealTest(@TempDir Path dir) {
        this.dir = dir;
    }

    @Test
    void whatWasEncryptedIsReadByTheSameKeyUnderTheSameNameOnly() throws Exception {
        Seal seal = Seal.of(keyFile(1));
        byte[] closed = seal.close(NAME, VALUE);

        assertThat(new String(closed, StandardCharsets.ISO_8859_1)).doesNotContain("secret");
        assertThat(Seal.of(keyFile(1)).open(NAME, closed)).isEqualTo(VALUE);
        assertThat(seal.open(bytes("drover:cache:b:1"), closed)).isNull();
        assertThat(Seal.of(keyFile(2)).open(NAME, closed)).isNull();
        assertThat(seal.close(NAME, VALUE)).as("another nonce").isNotEqualTo(closed);
        for (int i = 0; i < closed.length; i++) {
            byte[] damaged = closed.clone();
            damaged[i] ^= 1;
            assertThat(seal.open(NAME, damaged)).as("byte " + i).isNull();
        }
    }

    @Test
    void whatWasWrittenInTheOtherWayIsNotRead() throws Exception {
        Seal seal = Seal.of(keyFile(1));

        assertThat(Seal.plain().open(NAME, Seal.plain().close(NAME, VALUE))).isEqualTo(VALUE);
        assertThat(Seal.plain().open(NAME, seal.close(NAME, VALUE))).isNull();
        assertThat(seal.open(NAME, Seal.plain().close(NAME, new byte[100]))).isNull();
        assertThat(seal.open(NAME, new byte[0])).isNull();
        assertThat(Seal.plain().open(NAME, new byte[0])).isNull();
    }

    @Test
    void aFileWithoutAKeyIsToldWithoutItsContent() throws IOException {
        assertWrong(Files.writeString(dir.resolve("short"), "c2VjcmV0"), "6 bytes");
        assertWrong(Files.writeString(dir.resolve("text"), "hush hush!"), "not base64");
        assertWrong(Files.writeString(dir.resolve("empty"), ""), "0 bytes");
        assertWrong(dir.resolve("missing"), "no such file");
    }

    private static void assertWrong(Path file, String what) {
        assertThatThrownBy(() -> Seal.of(file))
                .isInstanceOf(ConfigException.class)
                .hasMessage("drover.cache.encryption-key-file: \"" + file + "\": " + what
                        + " (expected: a readable file with 32 bytes in base64)");
    }

    private Path keyFile(int fill) throws IOException {
        byte[] key = new byte[32];
        Arrays.fill(key, (byte) fill);
        return Files.writeString(dir.resolve("key" + fill), Base64.getEncoder().encodeToString(key) + "\n");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
