package io.drover.upstream;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.util.internal.SystemPropertyUtil;

/**
 * Tells whether a peer takes the bytes written to it. Asked now and then, it compares; writing costs it one addition.
 */
public final class WriteProgress {
    /** What Netty adds to each queued message's size; the property is Netty's own. */
    private static final int OVERHEAD =
            SystemPropertyUtil.getInt("io.netty.transport.outboundBufferEntrySizeOverhead", 96);

    private long handedOver;
    private long taken;
    private long sinceNanos;

    /** {@code bytes} were handed to the channel. */
    public void add(int bytes) {
        handedOver += bytes;
    }

    /** Bytes handed over so far. */
    public long handedOver() {
        return handedOver;
    }

    /** Whether nothing that was written to the channel still waits to be taken. */
    public static boolean isAllTaken(Channel channel) {
        ChannelOutboundBuffer queue = channel.unsafe().outboundBuffer();
        return queue != null && queue.isEmpty();
    }

    /** Bytes that wait to be taken, with what Netty adds for each piece. */
    public static long waiting(Channel channel) {
        ChannelOutboundBuffer queue = channel.unsafe().outboundBuffer();
        return queue == null ? 0 : queue.totalPendingWriteBytes();
    }

    /** For how long bytes have been waiting without any being taken; 0 where none waits. */
    public long stalledNanos(Channel channel, long nowNanos) {
        ChannelOutboundBuffer queue = channel.unsafe().outboundBuffer();
        long waiting = waiting(channel);
        if (queue == null || waiting == 0) {
            sinceNanos = nowNanos;
            return 0;
        }
        long now = handedOver - (waiting - (long) OVERHEAD * queue.size()) + queue.currentProgress();
        if (now > taken || sinceNanos == 0) {
            taken = now;
            sinceNanos = nowNanos;
        }
        return nowNanos - sinceNanos;
    }
}
