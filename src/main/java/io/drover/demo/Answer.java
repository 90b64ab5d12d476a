package io.drover.demo;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The answer to one request, framed as Go frames it, with the request's {@link Fault} if it has one.
 *
 * <p>Head and end go through Netty's encoder, bodies past it: a line is one chunk in one buffer, and most faults are
 * bytes that no encoder writes. Confined to the connection's event loop.
 */
// A write that fails means that the client has gone, of which the connection hears anyway.
@SuppressWarnings("FutureReturnValueIgnored")
final class Answer {
    static final String JSON = "application/json; charset=utf-8";
    static final String PLAIN_JSON = "application/json";
    static final String NDJSON = "application/x-ndjson";
    static final String TEXT = "text/plain";
    static final String TEXT_UTF8 = "text/plain; charset=utf-8";
    static final String EVENTS = "text/event-stream";
    static final String RUNNER_ERROR = "an error was encountered while running the model: CUDA error";

    // Room before a line for its size: eight hex digits, CR, LF.
    private static final int SIZE_ROOM = 10;
    // What Go buffers: an answer that fits and is never flushed gets a Content-Length.
    private static final int GO_BUFFER = 2048;
    private static final byte[] CRLF = {'\r', '\n'};
    private static final byte[] HEX = Json.ascii("0123456789abcdef");

    private enum Framing {
        LENGTH,
        CHUNKED,
        CLOSE
    }

    private final Channel channel;
    private final ChannelHandlerContext codec;
    private final Simulation simulation;
    private final Fault fault;
    private final Family family;
    private final boolean bodiless;
    private final boolean http10;
    private final boolean keepAlive;
    private final ServedConnection connection;
    private final HttpHeaders extra = new DefaultHttpHeaders();
    private int status = 200;
    private @Nullable String type;
    private Framing framing = Framing.CHUNKED;
    private boolean closing;
    private boolean headSent;
    private boolean over;
    private boolean stalled;
    private int lines;

    /** @param codec the context of the codec: what is written from there goes past it */
    Answer(
            ChannelHandlerContext codec,
            Simulation simulation,
            HttpRequest request,
            Family family,
            Fault fault,
            ServedConnection connection) {
        this.channel = codec.channel();
        this.codec = codec;
        this.simulation = simulation;
        this.fault = fault;
        this.family = family;
        this.connection = connection;
        this.bodiless = request.method().equals(HttpMethod.HEAD);
        this.http10 = request.protocolVersion().compareTo(HttpVersion.HTTP_1_1) < 0;
        this.keepAlive = HttpUtil.isKeepAlive(request);
        this.closing = !keepAlive || fault.is(Fault.Kind.HTTP_10);
        if (fault.is(Fault.Kind.SPLIT_WRITES)) {
            channel.pipeline().addFirst(new SplitWrites());
        }
    }

    Family family() {
        return family;
    }

    Fault fault() {
        return fault;
    }

    /** Whether nothing more will be written. */
    boolean isOver() {
        return over;
    }

    /** Whether a fault keeps the answer hanging until the client leaves. */
    boolean isStalled() {
        return stalled;
    }

    boolean isWritable() {
        return channel.isWritable();
    }

    void header(CharSequence name, Object value) {
        extra.set(name, value);
    }

    void closeAfterwards() {
        closing = true;
    }

    /** Invites the client to send the body it announced. */
    void proceed() {
        raw("HTTP/1.1 100 Continue\r\n\r\n");
        codec.flush();
    }

    void inform() {
        raw("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </hint>; rel=preload\r\n\r\n");
        codec.flush();
    }

    /** Answers with no body and no type. */
    void empty(int code) {
        whole(code, null, new byte[0]);
    }

    void json(int code, byte[] body) {
        whole(code, JSON, body);
    }

    /** An error that a handler found, in the family's shape. */
    void error(int code, String message) {
        byte[] body = family.error(code, message, simulation.stamp);
        if (family == Family.OLLAMA) {
            whole(code, JSON, body);
        } else {
            whole(code, PLAIN_JSON, Json.concat(body, Json.ascii("\n")));
        }
    }

    /** An error that was found before any handler ran. */
    void invalid(String message) {
        whole(400, JSON, family.error(400, message, simulation.stamp));
    }

    /** An error that was found inside a stream before its first line: it was flushed, hence chunked. */
    void streamError(int code, String message) {
        stream(code, PLAIN_JSON);
        ByteBuf line = line();
        line.writeBytes(family.error(code, message, simulation.stamp));
        aside(line);
        end();
    }

    /** Answers with all of a body. */
    void whole(int code, @Nullable String contentType, byte[] body) {
        status = code;
        type = contentType;
        if (fault.kind().cutsBody() && body.length > 0 && !bodiless) {
            cut(body);
            return;
        }
        sendHead(body.length);
        if (body.length > 0 && !bodiless) {
            writeBody(Unpooled.wrappedBuffer(body));
        }
        end();
    }

    /** Prepares a stream; the head leaves with the first line. */
    void stream(int code, String contentType) {
        status = code;
        type = contentType;
    }

    /** A buffer for one line, with room before it for the chunk's size. */
    ByteBuf line() {
        return channel.alloc().buffer(256).setIndex(SIZE_ROOM, SIZE_ROOM);
    }

    /** As {@link #send(ByteBuf)}. */
    boolean send(byte[] line) {
        return send(line().writeBytes(line));
    }

    /**
     * Sends one line of a stream as one chunk. Releases it.
     *
     * @param line from {@link #line()}
     * @return false if a fault has struck and nothing more can be sent
     */
    boolean send(ByteBuf line) {
        if (over || stalled) {
            line.release();
            return false;
        }
        if (fault.kind().cutsBody() && lines >= fault.lines()) {
            strike(line);
            return false;
        }
        lines++;
        writeLine(line);
        return true;
    }

    /** Sends what is no line of tokens and counts for no fault. Releases it. */
    void aside(ByteBuf line) {
        if (over || stalled) {
            line.release();
        } else {
            writeLine(line);
        }
    }

    void aside(byte[] line) {
        aside(line().writeBytes(line));
    }

    void flush() {
        codec.flush();
    }

    /** Ends the body well. */
    void end() {
        if (over || stalled) {
            return;
        }
        if (!headSent) {
            sendHead(-1);
        }
        LastHttpContent last = LastHttpContent.EMPTY_LAST_CONTENT;
        if (fault.is(Fault.Kind.TRAILERS) && framing == Framing.CHUNKED) {
            last = new DefaultLastHttpContent(Unpooled.EMPTY_BUFFER);
            last.trailingHeaders().set("X-Sim-Trailer", "sim");
        }
        channel.write(last, channel.voidPromise());
        if (fault.is(Fault.Kind.SURPLUS_BYTES)) {
            raw("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsurplus");
        }
        codec.flush();
        finish();
    }

    /** Closes the connection at once, whatever was sent. */
    void die() {
        over = true;
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    /** Resets the connection at once. */
    void reset() {
        over = true;
        codec.flush();
        channel.config().setOption(ChannelOption.SO_LINGER, 0);
        channel.close();
    }

    /** Sends nothing more and waits for the client to leave. */
    void stall() {
        stalled = true;
        codec.flush();
    }

    private void finish() {
        over = true;
        if (fault.is(Fault.Kind.SPLIT_WRITES)) {
            channel.pipeline().remove(SplitWrites.class);
        }
        connection.onAnswered(closing);
    }

    private void cut(byte[] body) {
        switch (fault.kind()) {
            case ERROR_LINE, ERROR_FIRST_LINE -> {
                status = 500;
                type = family == Family.OLLAMA ? JSON : PLAIN_JSON;
                byte[] error = family.error(500, RUNNER_ERROR, simulation.stamp);
                sendHead(error.length);
                writeBody(Unpooled.wrappedBuffer(error));
                end();
            }
            case NO_DONE -> {
                sendHead(body.length);
                writeBody(Unpooled.wrappedBuffer(body));
                end();
            }
            case DIE_AFTER_HEAD -> {
                sendHead(body.length);
                die();
            }
            default -> {
                boolean chunks = fault.is(Fault.Kind.TRUNCATED_CHUNK) || fault.is(Fault.Kind.BAD_CHUNK);
                sendHead(chunks ? GO_BUFFER + 1 : body.length);
                int half = body.length / 2;
                writeBody(Unpooled.wrappedBuffer(body, 0, half));
                strike(line().writeBytes(body, half, body.length - half));
            }
        }
    }

    /** Lets the fault happen in place of a line. Releases the line. */
    private void strike(ByteBuf line) {
        if (!headSent) {
            sendHead(-1);
        }
        switch (fault.kind()) {
            case RESET_MID_STREAM -> {
                line.release();
                reset();
            }
            case STALL -> {
                line.release();
                stall();
            }
            case TRUNCATED_CHUNK -> {
                raw(Integer.toHexString(line.readableBytes() + 64) + "\r\n");
                past(line);
                die();
            }
            case BAD_CHUNK -> {
                raw("zz\r\n");
                past(line);
                stall();
            }
            case NO_DONE -> {
                line.release();
                end();
            }
            case ERROR_LINE, ERROR_FIRST_LINE -> {
                line.release();
                byte[] error = family.errorLine(RUNNER_ERROR, simulation.stamp);
                if (error.length > 0) {
                    writeLine(line().writeBytes(error));
                }
                end();
            }
            default -> {
                line.release();
                die();
            }
        }
    }

    /** Releases the line. */
    private void writeLine(ByteBuf line) {
        if (!headSent) {
            sendHead(-1);
        }
        if (framing == Framing.CHUNKED && !fault.is(Fault.Kind.CHUNK_EXTENSIONS)) {
            prependSize(line);
            past(line.writeBytes(CRLF));
        } else {
            writeBody(line);
        }
        if (simulation.settings.flushesEachLine()) {
            codec.flush();
        }
    }

    private static void prependSize(ByteBuf line) {
        int size = line.readableBytes();
        int at = line.readerIndex();
        line.setByte(--at, '\n').setByte(--at, '\r');
        do {
            line.setByte(--at, HEX[size & 15]);
            size >>>= 4;
        } while (size > 0);
        line.readerIndex(at);
    }

    /** Releases the bytes. */
    private void writeBody(ByteBuf bytes) {
        if (framing == Framing.CHUNKED) {
            String extensions = fault.is(Fault.Kind.CHUNK_EXTENSIONS) ? ";sim;text=\"a;b\"" : "";
            raw(Integer.toHexString(bytes.readableBytes()) + extensions + "\r\n");
            past(bytes);
            raw("\r\n");
        } else {
            past(bytes);
        }
    }

    private void raw(String text) {
        past(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
    }

    /** Writes past the encoder. Releases the bytes. */
    private void past(ByteBuf bytes) {
        codec.write(bytes, channel.voidPromise());
    }

    /** @param length of the whole body, negative if unknown */
    private void sendHead(int length) {
        headSent = true;
        boolean oldResponse = http10 || fault.is(Fault.Kind.HTTP_10);
        boolean lengthKnown = length >= 0 && length <= GO_BUFFER && !fault.is(Fault.Kind.CLOSE_DELIMITED);
        if (lengthKnown) {
            framing = Framing.LENGTH;
        } else if (oldResponse || fault.is(Fault.Kind.CLOSE_DELIMITED)) {
            framing = Framing.CLOSE;
            closing = true;
        }
        HttpHeaders headers = new DefaultHttpHeaders();
        headers.add(extra);
        if (type != null) {
            headers.set(HttpHeaderNames.CONTENT_TYPE, type);
        }
        headers.set(HttpHeaderNames.DATE, simulation.stamp.httpDate());
        if (lengthKnown && status != 204) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(length));
        }
        if (closing) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (http10) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
        if (framing == Framing.CHUNKED) {
            headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        HttpVersion version = oldResponse ? HttpVersion.HTTP_1_0 : HttpVersion.HTTP_1_1;
        channel.write(
                new DefaultHttpResponse(version, HttpResponseStatus.valueOf(status), headers), channel.voidPromise());
    }
}
