package io.drover.proxy;

import io.drover.admission.BodyEdit;
import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.drover.http.HeadWriter;
import io.drover.ollama.JsonFieldScanner;
import io.drover.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A body that is kept whole until the response has begun, so that it can be sent again. Large pieces stay in the
 * buffers they were read into; small ones are gathered, so that neither tiny chunks nor half-empty read buffers cost
 * more memory than they hold. The budget counts what is really occupied: capacities.
 */
final class RetainedBody implements RequestBody, ChunkedFraming.Payload {
    private static final int FIRST_BLOCK = 1024;
    private static final int LARGEST_BLOCK = 64 * 1024;

    /** A body up to this size travels in the head's buffer: one write instead of two. */
    static final int INLINE_LIMIT = 4096;

    private final Worker worker;
    private final ByteBudget budget;
    private final BodyReader reader;
    private final boolean declared;
    private final @Nullable JsonFieldScanner scanner;
    private final @Nullable BodyCopy copy;
    private final List<ByteBuf> parts = new ArrayList<>(1);
    /** What is sent once {@link #restore} is called; empty: what stands in {@link #parts}. */
    private final List<ByteBuf> replaced = new ArrayList<>(0);

    private long replacedGrown;
    private long reserved;
    /** By how many bytes it is longer than what the client sent. */
    private long grown;

    private boolean overBudget;

    /**
     * @param scanner sees the payload as it comes; null where it is no plain JSON
     * @param copy for the audit log, sees it too; null where that does not want it
     */
    RetainedBody(
            Worker worker,
            BodyFraming framing,
            long limit,
            @Nullable JsonFieldScanner scanner,
            @Nullable BodyCopy copy) {
        this.worker = worker;
        this.budget = worker.context().retainedBodies();
        this.declared = framing.kind() != BodyFraming.Kind.NONE;
        this.scanner = scanner;
        this.copy = copy;
        this.reader = new BodyReader(framing, limit, worker.chunksOf(framing), this);
    }

    @Override
    public void read(ByteBuf in) throws BadMessageException {
        reader.read(in);
        if (overBudget) {
            throw new BadMessageException(503, "no memory left for request bodies (buffers.retained-bodies)");
        }
        if (copy != null && reader.isComplete()) {
            copy.end();
        }
    }

    @Override
    public void onPayload(ByteBuf in, int from, int to) {
        if (overBudget) {
            return;
        }
        if (scanner != null) {
            scanner.feed(in, from, to);
        }
        if (copy != null) {
            copy.feed(in, from, to);
        }
        int size = to - from;
        if (2 * size >= in.capacity()) {
            if (reserve(in.capacity())) {
                parts.add(in.retainedSlice(from, size));
            }
            return;
        }
        gather(in, from, size);
    }

    private void gather(ByteBuf in, int from, int size) {
        int done = 0;
        while (done < size) {
            ByteBuf block = parts.isEmpty() ? null : parts.get(parts.size() - 1);
            if (block == null || block.capacity() == block.writerIndex()) {
                int next = block == null ? FIRST_BLOCK : Math.min(LARGEST_BLOCK, 2 * block.capacity());
                long due = size - done + reader.remaining();
                int capacity = (int) Math.min(LARGEST_BLOCK, Math.max(next, due));
                if (!reserve(capacity)) {
                    return;
                }
                block = worker.allocate(capacity);
                parts.add(block);
            }
            int step = Math.min(size - done, block.capacity() - block.writerIndex());
            block.writeBytes(in, from + done, step);
            done += step;
        }
    }

    /** Number of bytes without framing. */
    long size() {
        return reader.payloadBytes() + grown;
    }

    /** Some of it as text; what lies beyond its end is not there. */
    String text(long from, long to) {
        ByteBuf copy = worker.allocate((int) (to - from));
        try {
            for (ByteBuf slice : slices(from, to)) {
                copy.writeBytes(slice, slice.readerIndex(), slice.readableBytes());
                slice.release();
            }
            return copy.toString(StandardCharsets.UTF_8);
        } finally {
            copy.release();
        }
    }

    /**
     * Changes it before it is sent; the rest stays as and where it is.
     *
     * @param edits from its start to its end, none over another
     */
    void edit(List<BodyEdit> edits) {
        if (edits.isEmpty()) {
            return;
        }
        long size = size();
        List<ByteBuf> edited = new ArrayList<>(parts.size() + 2 * edits.size());
        long done = 0;
        for (BodyEdit edit : edits) {
            edited.addAll(slices(done, edit.from()));
            int length = edit.text().length();
            if (length > 0) {
                // A few bytes: with no memory left for a large body, it is not these that matter.
                budget.take(length);
                reserved += length;
                ByteBuf text = worker.allocate(length);
                text.writeCharSequence(edit.text(), StandardCharsets.US_ASCII);
                edited.add(text);
            }
            grown += length - (edit.to() - edit.from());
            done = edit.to();
        }
        edited.addAll(slices(done, size));
        parts.forEach(ByteBuf::release);
        parts.clear();
        parts.addAll(edited);
    }

    /** Changes it until {@link #restore}, or does not and returns false: there is no memory for it. */
    boolean replace(BodyEdit edit) {
        int length = edit.text().length();
        if (!budget.tryTake(length)) {
            return false;
        }
        // To be taken again with the edit.
        budget.giveBack(length);
        parts.forEach(part -> replaced.add(part.retainedDuplicate()));
        replacedGrown = grown;
        edit(List.of(edit));
        return true;
    }

    /** Takes back what {@link #replace} did. */
    void restore() {
        parts.forEach(ByteBuf::release);
        parts.clear();
        parts.addAll(replaced);
        replaced.clear();
        grown = replacedGrown;
    }

    /** The bytes between two offsets; each slice has a reference of its own. */
    private List<ByteBuf> slices(long from, long to) {
        List<ByteBuf> slices = new ArrayList<>();
        long start = 0;
        for (ByteBuf part : parts) {
            long end = start + part.readableBytes();
            long first = Math.max(from, start);
            long last = Math.min(to, end);
            if (first < last) {
                slices.add(part.retainedSlice(part.readerIndex() + (int) (first - start), (int) (last - first)));
            }
            start = end;
        }
        return slices;
    }

    /** All of it, to be read at once. */
    InputStream open() {
        return joined(part -> new ByteBufInputStream(part.duplicate()));
    }

    /** The same for another thread, which closes it; it lasts as long as that takes. */
    InputStream openAside() {
        return joined(part -> new ByteBufInputStream(part.retainedDuplicate(), true));
    }

    private InputStream joined(Function<ByteBuf, InputStream> open) {
        return new SequenceInputStream(
                Collections.enumeration(parts.stream().map(open).toList()));
    }

    private boolean reserve(long bytes) {
        overBudget = !budget.tryTake(bytes);
        reserved += overBudget ? 0 : bytes;
        return !overBudget;
    }

    @Override
    public boolean isComplete() {
        return reader.isComplete();
    }

    @Override
    public boolean hasRoom() {
        return true;
    }

    @Override
    public long wireBytes() {
        return reader.wireBytes();
    }

    @Override
    public boolean isReplayable() {
        return true;
    }

    @Override
    public void frame(HeadWriter writer) {
        if (declared) {
            writer.contentLength(size());
        }
    }

    @Override
    public void send(ByteBuf head, UpstreamConnection to) {
        if (parts.size() == 1 && parts.get(0).readableBytes() <= INLINE_LIMIT) {
            ByteBuf only = parts.get(0);
            head.writeBytes(only, only.readerIndex(), only.readableBytes());
            to.write(head);
        } else {
            to.write(head);
            for (ByteBuf part : parts) {
                to.write(part.retainedDuplicate());
            }
        }
        to.flush();
    }

    @Override
    public void stop() {
        // It was complete before it was sent.
    }

    @Override
    public void release() {
        for (ByteBuf part : parts) {
            part.release();
        }
        parts.clear();
        replaced.forEach(ByteBuf::release);
        replaced.clear();
        budget.giveBack(reserved);
        reserved = 0;
    }
}
