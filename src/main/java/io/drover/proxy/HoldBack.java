package io.drover.proxy;

import io.drover.ollama.RetryClass;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Holds a response back just long enough to know whether another backend should be asked instead: a success until its
 * first line is whole, an error until it can be judged by its words. Bounded by {@code buffers.hold-back}.
 */
final class HoldBack {
    private final int status;
    private final long length;
    private final int limit;
    private final boolean cloud;
    private long seen;
    private final ByteArrayOutputStream text = new ByteArrayOutputStream(0);

    /** @param length of the whole body, 0 where it is not known */
    HoldBack(int status, long length, int limit, boolean cloud) {
        this.status = status;
        this.length = length;
        this.limit = limit;
        this.cloud = cloud;
    }

    /** Whether a response of this status can turn out to be one to retry. */
    static boolean concerns(int status) {
        return status == 200 || status >= 400;
    }

    /**
     * Looks at a part of the body.
     *
     * @return what to do with the response; null while more of it is needed
     */
    RetryClass.@Nullable Verdict onPayload(ByteBuf wire, PayloadRanges payload) {
        for (int i = 0; i < payload.count(); i++) {
            int from = payload.from(i);
            int to = payload.to(i);
            int lineEnd = status == 200 ? wire.indexOf(from, to, (byte) '\n') : -1;
            int end = lineEnd < 0 ? to : lineEnd;
            // The usual case: a whole first line, or the whole body, in one piece and no error.
            boolean whole = seen == 0 && (lineEnd >= 0 || to - from == length);
            if (whole && status == 200 && !RetryClass.opensError(wire, from, end)) {
                return RetryClass.Verdict.RELAY;
            }
            text.writeBytes(ByteBufUtil.getBytes(wire, from, Math.min(end - from, limit - text.size())));
            seen += end - from;
            if (lineEnd >= 0 || seen >= limit) {
                return judge();
            }
        }
        return null;
    }

    /** The body has ended, or is longer than may be held back. */
    RetryClass.Verdict judge() {
        byte[] held = text.toByteArray();
        boolean success = status == 200 && !RetryClass.opensError(Unpooled.wrappedBuffer(held), 0, held.length);
        return success ? RetryClass.Verdict.RELAY : RetryClass.of(status, held, cloud);
    }
}
