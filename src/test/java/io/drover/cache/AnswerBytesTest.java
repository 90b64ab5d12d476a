package io.drover.cache;

import static io.drover.cache.Answers.kept;
import static io.drover.cache.Answers.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.Endpoint;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** Answers as Redis holds them: all comes back, and nothing that was damaged does. */
class AnswerBytesTest {
    private static final String LINE = "{\"model\":\"m\",\"created_at\":\"2025-01-01T00:00:00Z\",\"response\":\"\","
            + "\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":3,\"eval_count\":4}\n";
    private static final String CHUNK =
            "data: {\"id\":\"chatcmpl-7\",\"created\":1,\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n";

    private final CachedAnswer answer = kept(Endpoint.GENERATE, Form.STREAM, LINE);
    private final byte[] bytes = answer.toBytes();

    @Test
    void allOfItComesBack() {
        CachedAnswer read = CachedAnswer.fromBytes(bytes);

        assertThat(read).isNotNull();
        assertThat(read.endpoint()).isEqualTo(answer.endpoint());
        assertThat(read.form()).isEqualTo(answer.form());
        assertThat(read.contentType()).isEqualTo(answer.contentType());
        assertThat(read.origin()).isEqualTo(answer.origin());
        assertThat(read.tokens()).isEqualTo(7);
        assertThat(read.weight()).isEqualTo(answer.weight());
        assertThat(text(read)).isEqualTo(text(answer));
        assertThat(read.toBytes()).isEqualTo(bytes);
    }

    @Test
    void idsComeBackToo() {
        CachedAnswer events = kept(Endpoint.V1_CHAT_COMPLETIONS, Form.STREAM, CHUNK + "data: [DONE]\n\n");

        CachedAnswer read = CachedAnswer.fromBytes(events.toBytes());

        assertThat(read).isNotNull();
        assertThat(text(read)).isEqualTo(text(events)).containsPattern("\"chatcmpl-\\d{3}\",\"created\":1787363302");
    }

    @Test
    void whatWasCutIsNothing() {
        for (int length = 0; length < bytes.length; length++) {
            assertThat(CachedAnswer.fromBytes(Arrays.copyOf(bytes, length))).isNull();
        }
        assertThat(CachedAnswer.fromBytes(Arrays.copyOf(bytes, bytes.length + 1)))
                .isNull();
    }

    @Test
    void aBitThatFlippedIsSeen() {
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] damaged = bytes.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);

            assertThat(CachedAnswer.fromBytes(damaged)).isNull();
        }
    }

    /** As a later version of Drover, or somebody else, may have written it: with a checksum that is right. */
    @Test
    void nonsenseWithARightChecksumIsNoAnswerThatFails() {
        Random random = new Random(11);
        int read = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] changed = bytes.clone();
            for (int n = random.nextInt(1, 4); n > 0; n--) {
                changed[random.nextInt(5, random.nextBoolean() ? 140 : changed.length)] = (byte) random.nextInt();
            }
            CachedAnswer other = CachedAnswer.fromBytes(sealed(changed));
            if (other != null) {
                read++;
                assertThat(text(other)).isNotNull();
            }
        }
        assertThat(read).isPositive();
    }

    @Test
    void placesThatDoNotFitAreRefused() {
        assertThat(new Patches(new int[] {0}, new byte[] {0}, 0).fit(30)).isTrue();
        assertThat(new Patches(new int[] {1}, new byte[] {0}, 0).fit(30)).isFalse();
        assertThat(new Patches(new int[] {-1}, new byte[] {0}, 0).fit(30)).isFalse();
        assertThat(new Patches(new int[] {0, 29}, new byte[] {0, 1}, 0).fit(90)).isFalse();
        assertThat(new Patches(new int[] {0}, new byte[] {2}, 0).fit(30)).isFalse();
        assertThat(new Patches(new int[] {0}, new byte[] {2}, Integer.MAX_VALUE).fit(30))
                .isFalse();
        assertThat(new Patches(new int[] {0}, new byte[] {3}, 1).fit(30)).isFalse();
        assertThat(new Patches(new int[] {0}, new byte[] {-1}, 1).fit(30)).isFalse();
    }

    @Test
    void anotherVersionIsNotRead() {
        byte[] other = bytes.clone();
        other[0]++;

        assertThat(CachedAnswer.fromBytes(sealed(other))).isNull();
        assertThat(CachedAnswer.fromBytes("PONG".getBytes(UTF_8))).isNull();
        assertThat(CachedAnswer.fromBytes(sealed(bytes.clone()))).isNotNull();
    }

    private static byte[] sealed(byte[] bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 5, bytes.length - 5);
        ByteBuffer.wrap(bytes).putInt(1, (int) checksum.getValue());
        return bytes;
    }
}
