package io.drover.http;

import io.drover.http.Messages.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads one message with Netty's decoder at its strictest: the second opinion on everything that ours accepts. */
final class NettyReader {
    private final EmbeddedChannel channel;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final List<String> fields = new ArrayList<>();
    private @Nullable HttpMessage message;
    private @Nullable Throwable failure;
    private int messages;
    private int ends;

    NettyReader(Kind kind) {
        HttpDecoderConfig config = new HttpDecoderConfig()
                .setStrictLineParsing(true)
                .setUseRfc9112TransferEncoding(true)
                .setAllowDuplicateContentLengths(false)
                .setMaxInitialLineLength(2 * Messages.MAX_HEAD)
                .setMaxHeaderSize(2 * Messages.MAX_HEAD);
        channel = new EmbeddedChannel(
                kind == Kind.REQUEST ? new HttpRequestDecoder(config) : new HttpResponseDecoder(config));
    }

    void read(byte[] bytes, int from, int to) {
        channel.writeInbound(Unpooled.copiedBuffer(bytes, from, to - from));
        drain();
    }

    /** The connection ends. */
    void end() {
        channel.finish();
        drain();
    }

    private void drain() {
        for (Object next = channel.readInbound(); next != null; next = channel.readInbound()) {
            take((HttpObject) next);
            ReferenceCountUtil.release(next);
        }
    }

    private void take(HttpObject part) {
        if (part.decoderResult().isFailure()) {
            failure = part.decoderResult().cause();
        }
        if (part instanceof HttpMessage head) {
            message = head;
            messages++;
            head.headers().forEach(field -> fields.add(field.getKey() + "=" + field.getValue()));
        }
        if (part instanceof HttpContent content) {
            ByteBuf bytes = content.content();
            byte[] copy = new byte[bytes.readableBytes()];
            bytes.getBytes(bytes.readerIndex(), copy);
            body.writeBytes(copy);
        }
        if (part instanceof LastHttpContent) {
            ends++;
        }
    }

    boolean isAtEnd() {
        return ends > 0;
    }

    @Nullable
    Throwable failure() {
        return failure;
    }

    /** Whether there was one message with one end, and no fault. */
    boolean isOneMessage() {
        return failure == null && messages == 1 && ends == 1;
    }

    String startLine() {
        if (message instanceof HttpRequest request) {
            return request.method() + " " + request.uri() + " 1."
                    + request.protocolVersion().minorVersion();
        }
        if (message instanceof HttpResponse response) {
            return "1." + response.protocolVersion().minorVersion() + " "
                    + response.status().code();
        }
        return "none";
    }

    List<String> fields() {
        return fields;
    }

    String body() {
        return body.toString(StandardCharsets.ISO_8859_1);
    }
}
