package io.drover.bench;

import io.drover.http.BadMessageException;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.drover.http.HeadParser;
import io.drover.http.MessageHead;
import io.drover.http.RequestTarget;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** A proxy's connection to a backend. */
final class ModelConnection extends ChannelInboundHandlerAdapter implements ChunkedFraming.Payload {

    /** Of a body only its start is looked at: what is asked for stands before the prompt. */
    private static final int KEPT = 512;

    private static final byte[] OK = HttpText.response(
            "200 OK",
            "{\"version\":\"0.30.0\",\"models\":[{\"name\":\"bench:latest\",\"model\":\"bench:latest\",\"digest\":\"b\"}]}");
    private static final byte[] CREATED = HttpText.response("201 Created", "");
    private static final byte[] WHOLE = HttpText.response(
            "200 OK",
            "{\"model\":\"bench\",\"created_at\":\"2026-08-22T01:48:22.123456789Z\",\"response\":\"Yes.\",\"done\":true,"
                    + "\"done_reason\":\"stop\",\"total_duration\":1000000,\"load_duration\":1000,"
                    + "\"prompt_eval_count\":5,\"prompt_eval_duration\":1000,\"eval_count\":2,\"eval_duration\":1000}");
    private static final byte[] STREAM_HEAD = HttpText.ascii("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
            + "Date: Sat, 22 Aug 2026 01:48:22 GMT\r\nTransfer-Encoding: chunked\r\n\r\n");
    private static final byte[] STREAM_END = HttpText.ascii(new String(
                    HttpText.chunk("{\"model\":\"bench\",\"created_at\":\"2026-08-22T01:48:22.123456789Z\","
                            + "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"
                            + "\"done_reason\":\"stop\",\"total_duration\":1000000,\"load_duration\":1000,"
                            + "\"prompt_eval_count\":5,\"prompt_eval_duration\":1000,\"eval_count\":2,"
                            + "\"eval_duration\":1000}\n"),
                    StandardCharsets.US_ASCII)
            + "0\r\n\r\n");

    private final Pacer pacer;
    private final AtomicInteger streams;
    private final LongAdder computed;
    private final HeadParser parser = HeadParser.ofRequests(HttpText.MAX_HEAD, HttpText.MAX_FIELDS);
    private final MessageHead head = new MessageHead();
    private final ChunkedFraming chunks = new ChunkedFraming(HttpText.MAX_HEAD);
    private final byte[] start = new byte[KEPT];
    private int kept;
    private boolean inBody;
    private boolean chunked;
    private long remaining;

    ModelConnection(Pacer pacer, AtomicInteger streams, LongAdder computed) {
        this.pacer = pacer;
        this.streams = streams;
        this.computed = computed;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws BadMessageException {
        ByteBuf in = (ByteBuf) message;
        try {
            while (in.isReadable()) {
                if (!inBody && !begin(in)) {
                    return;
                }
                if (!body(in)) {
                    return;
                }
                inBody = false;
                answer(context);
                parser.reset(head);
            }
        } finally {
            in.release();
        }
    }

    private boolean begin(ByteBuf in) throws BadMessageException {
        if (!parser.parse(in, head)) {
            return false;
        }
        RequestTarget.check(head);
        BodyFraming framing = BodyFraming.ofRequest(head);
        chunked = framing.kind() == BodyFraming.Kind.CHUNKED;
        remaining = framing.length();
        chunks.reset(false);
        kept = 0;
        inBody = true;
        return true;
    }

    private boolean body(ByteBuf in) throws BadMessageException {
        if (chunked) {
            in.readerIndex(chunks.scan(in, this));
            return chunks.isDone();
        }
        int length = (int) Math.min(remaining, in.readableBytes());
        onPayload(in, in.readerIndex(), in.readerIndex() + length);
        in.skipBytes(length);
        remaining -= length;
        return remaining == 0;
    }

    @Override
    public void onPayload(ByteBuf in, int from, int to) {
        int length = Math.min(KEPT - kept, to - from);
        in.getBytes(from, start, kept, length);
        kept += length;
    }

    private void answer(ChannelHandlerContext context) {
        boolean close = head.connectionLists(MessageHead.CLOSE);
        if (head.text(head.pathStart(), head.pathEnd()).startsWith("/api/blobs/")) {
            send(context, CREATED, close);
        } else if (!head.isMethod("POST")) {
            send(context, OK, close);
        } else if (asked("\"stream\":false") >= 0) {
            computed.increment();
            send(context, WHOLE, close);
        } else {
            computed.increment();
            stream(context, number("\"num_predict\":"), number("\"rate\":"));
        }
    }

    private static void send(ChannelHandlerContext context, byte[] answer, boolean close) {
        ByteBuf out = context.alloc().directBuffer(answer.length).writeBytes(answer);
        context.writeAndFlush(out, context.voidPromise());
        if (close) {
            context.close();
        }
    }

    private void stream(ChannelHandlerContext context, int tokens, int rate) {
        streams.incrementAndGet();
        pacer.add(new Answer(context, streams, tokens, TimeUnit.SECONDS.toNanos(1) / rate));
    }

    /** Where {@code text} ends in what was kept of the body, or -1. */
    private int asked(String text) {
        for (int i = 0; i + text.length() <= kept; i++) {
            int j = 0;
            while (j < text.length() && start[i + j] == text.charAt(j)) {
                j++;
            }
            if (j == text.length()) {
                return i + j;
            }
        }
        return -1;
    }

    private int number(String name) {
        int i = asked(name);
        int value = 0;
        while (i >= 0 && i < kept && start[i] >= '0' && start[i] <= '9') {
            value = 10 * value + start[i++] - '0';
        }
        return Math.max(1, value);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }

    /** One streamed answer: the first token at once, the others evenly after it, streams out of step with each other. */
    private static final class Answer implements Pacer.Paced {
        private final ChannelHandlerContext context;
        private final AtomicInteger streams;
        private final int tokens;
        private final long period;
        private long due = System.nanoTime();
        private int sent;

        Answer(ChannelHandlerContext context, AtomicInteger streams, int tokens, long period) {
            this.context = context;
            this.streams = streams;
            this.tokens = tokens;
            this.period = period;
        }

        @Override
        public long due() {
            return due;
        }

        @Override
        public boolean run(long now) {
            if (!context.channel().isActive()) {
                streams.decrementAndGet();
                return false;
            }
            boolean last = sent == tokens;
            ByteBuf out = context.alloc().directBuffer(STREAM_HEAD.length + Token.WIRE_BYTES + STREAM_END.length);
            if (sent == 0) {
                out.writeBytes(STREAM_HEAD);
            }
            if (last) {
                out.writeBytes(STREAM_END);
                streams.decrementAndGet();
            } else {
                Token.write(out, now, sent);
            }
            due += sent++ == 0 ? ThreadLocalRandom.current().nextLong(period) : period;
            context.writeAndFlush(out, context.voidPromise());
            return !last;
        }
    }
}
