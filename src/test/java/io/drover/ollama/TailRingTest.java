package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TailRingTest {

    @Test
    void keepsTheLastBytesWhateverThePieces() {
        Random random = new Random(7);
        byte[] all = new byte[200_000];
        random.nextBytes(all);
        ByteBuf buf = Unpooled.wrappedBuffer(all);
        TailRing ring = new TailRing();
        int at = 0;
        while (at < all.length) {
            int length = Math.min(all.length - at, random.nextInt(random.nextBoolean() ? 20 : 5000));
            ring.append(buf, at, length);
            at += length;
            assertThat(ring.toArray()).isEqualTo(lastBytes(all, at));
        }
        assertThat(buf.readerIndex()).isZero();
    }

    @Test
    void fitsExactly() {
        for (int length : new int[] {TailRing.CAPACITY - 1, TailRing.CAPACITY, TailRing.CAPACITY + 1}) {
            byte[] all = new byte[length];
            new Random(length).nextBytes(all);
            TailRing ring = new TailRing();
            ring.append(Unpooled.wrappedBuffer(all), 0, length);
            assertThat(ring.toArray()).isEqualTo(lastBytes(all, length));
        }
    }

    @Test
    void knowsWhetherTheLastByteWasNewline() {
        TailRing ring = new TailRing();
        assertThat(ring.endsWithNewline()).isFalse();

        ByteBuf line = Unpooled.wrappedBuffer(new byte[] {'a', '\n'});
        for (int i = 0; i <= 2 * TailRing.CAPACITY; i++) {
            ring.append(line, i % 2, 1);
            assertThat(ring.endsWithNewline()).isEqualTo(i % 2 == 1);
        }
        ring.append(line, 1, 1);
        ring.append(line, 0, 0);
        assertThat(ring.endsWithNewline()).as("nothing was appended").isTrue();

        ring.clear();
        assertThat(ring.endsWithNewline()).isFalse();
        assertThat(ring.toArray()).isEmpty();
    }

    @Test
    void knowsWhetherItEndsWithAnEmptyLine() {
        TailRing ring = new TailRing();
        ByteBuf text = Unpooled.wrappedBuffer(new byte[] {'a', '\n'});
        ring.append(text, 1, 1);
        assertThat(ring.endsWithEmptyLine()).as("one LF alone").isFalse();
        for (int i = 0; i <= TailRing.CAPACITY; i++) {
            ring.append(text, 0, 1);
            assertThat(ring.endsWithEmptyLine()).isFalse();
            ring.append(text, 1, 1);
            assertThat(ring.endsWithEmptyLine()).isFalse();
            ring.append(text, 1, 1);
            assertThat(ring.endsWithEmptyLine()).isTrue();
        }
    }

    private static byte[] lastBytes(byte[] all, int end) {
        return Arrays.copyOfRange(all, Math.max(0, end - TailRing.CAPACITY), end);
    }
}
