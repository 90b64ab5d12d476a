package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a client that takes nothing holds: its bytes, not the read buffers that these came in. */
class ClientWriteTest {
    private static final int READ_BUFFER = 4096;

    private static ByteBuf readBuffer(int filled) {
        return PooledByteBufAllocator.DEFAULT.directBuffer(READ_BUFFER).writeZero(filled);
    }

    @Test
    void aSmallPieceIsCopiedOnlyBehindABacklog() throws Exception {
        try (TestWorker worker = new TestWorker(Map.of())) {
            Worker loop = worker.worker();
            loop.loop()
                    .submit(() -> writeBehindABacklog(loop.newClientConnection()))
                    .get(10, TimeUnit.SECONDS);
        }
    }

    private static void writeBehindABacklog(ClientConnection client) {
        EmbeddedChannel channel = new EmbeddedChannel(client);
        ByteBuf first = readBuffer(200);
        client.write(first);
        assertThat(first.refCnt()).as("written as it is").isOne();

        for (int i = 0; i < 4; i++) {
            client.write(readBuffer(READ_BUFFER));
        }
        ByteBuf small = readBuffer(200);
        client.write(small);
        assertThat(small.refCnt()).as("copied").isZero();
        ByteBuf large = readBuffer(READ_BUFFER);
        client.write(large);
        assertThat(large.refCnt()).as("as large as its buffer").isOne();
        assertThat(client.bytesWritten()).isEqualTo(2 * 200 + 5 * READ_BUFFER);

        client.flush();
        for (int size : new int[] {200, READ_BUFFER, READ_BUFFER, READ_BUFFER, READ_BUFFER, 200, READ_BUFFER}) {
            ByteBuf written = channel.readOutbound();
            assertThat(written.readableBytes()).isEqualTo(size);
            written.release();
        }
        channel.finishAndReleaseAll();
    }
}
