package io.drover.cache;

import io.netty.buffer.ByteBuf;

/** A kept answer as it is written to one client: its bytes, with the values of this replay laid over their places. */
final class Replay implements Rendering {
    private final byte[] body;
    private final Patches patches;
    private final byte[][] values;
    private int at;
    private int patch;

    /** @param values by the ordinals of {@link Fresh}; none of the parameters is changed */
    Replay(byte[] body, Patches patches, byte[][] values) {
        this.body = body;
        this.patches = patches;
        this.values = values;
    }

    @Override
    public long length() {
        return body.length;
    }

    @Override
    public void writeTo(ByteBuf out) {
        int start = out.writerIndex();
        int end = at + Math.min(out.writableBytes(), body.length - at);
        out.writeBytes(body, at, end - at);
        for (; patch < patches.count(); patch++) {
            int offset = patches.offset(patch);
            byte[] value = values[patches.kind(patch)];
            int from = Math.max(offset, at);
            int to = Math.min(offset + value.length, end);
            if (from < to) {
                out.setBytes(start + from - at, value, from - offset, to - from);
            }
            if (offset + value.length > end) {
                // The rest of it, or all, comes with the next piece.
                break;
            }
        }
        at = end;
    }

    @Override
    public boolean isDone() {
        return at == body.length;
    }
}
