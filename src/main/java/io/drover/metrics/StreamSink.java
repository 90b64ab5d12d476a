package io.drover.metrics;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** A stream of lines in which a failed write leaves a cut or an empty line, since nothing written can be taken back. */
final class StreamSink implements LineSink {
    private final Target target;
    private OutputStream out;
    private boolean cut;

    /** Opens where lines go. */
    interface Target {
        OutputStream open() throws IOException;
    }

    StreamSink(Target target) throws IOException {
        this.target = target;
        this.out = target.open();
    }

    @Override
    public void write(ByteBuffer lines) throws IOException {
        boolean whole = false;
        try {
            if (cut) {
                out.write('\n');
            }
            out.write(lines.array(), lines.arrayOffset() + lines.position(), lines.remaining());
            out.flush();
            whole = true;
        } finally {
            cut = !whole;
        }
    }

    @Override
    public void reopen() throws IOException {
        // In this order: a file that cannot be opened leaves the old one in use.
        OutputStream opened = target.open();
        OutputStream last = out;
        out = opened;
        cut = false;
        last.close();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
