package io.drover.proxy;

import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import io.drover.metrics.AuditLog;
import io.drover.metrics.AuditedBody;
import io.drover.ollama.Endpoint;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The beginning of a JSON body, for the audit log: of a prompt, if it is to be told, or of a request about models, which
 * names them. Long runs of base64, such as images, are left out, and said to be. Belongs to one event loop.
 */
final class BodyCopy {
    /** Enough for the names of models; what follows may be a model's template. */
    private static final int NAMES_BYTES = 16 * 1024;

    private static final int FIRST_BYTES = 1024;

    /** No word of a language that is written with these letters is as long. */
    private static final int LONGEST_RUN = 256;

    private final int limit;
    private final boolean prompt;
    private byte[] bytes = new byte[FIRST_BYTES];
    private int size;
    private int run;
    private boolean cut;
    private boolean ended;

    private BodyCopy(int limit, boolean prompt) {
        this.limit = limit;
        this.prompt = prompt;
    }

    /** One for the body to come; null where the audit log tells nothing of it, or it cannot be read. */
    static @Nullable BodyCopy of(Endpoint endpoint, MessageHead head, AuditLog log) {
        if (!log.isOn() || head.has(Field.CONTENT_ENCODING)) {
            return null;
        }
        return switch (endpoint) {
            case PULL, PUSH, CREATE, COPY, DELETE -> new BodyCopy(NAMES_BYTES, false);
            case V1_TRANSCRIPTIONS -> null; // Multipart: sound, not text.
            default -> endpoint.inference() && log.promptBytes() > 0 ? new BodyCopy(log.promptBytes(), true) : null;
        };
    }

    /** Takes what it needs of the next piece; only reads {@code in}, whose indices stay. */
    void feed(ByteBuf in, int from, int to) {
        for (int at = from; at < to && !cut; at++) {
            byte next = in.getByte(at);
            if (isBase64(next)) {
                run++;
                if (run <= LONGEST_RUN) {
                    add(next);
                }
            } else {
                endRun();
                add(next);
            }
        }
    }

    private void endRun() {
        if (run > LONGEST_RUN) {
            for (byte letter : HeadWriter.ascii("...[" + (run - LONGEST_RUN) + " bytes]")) {
                add(letter);
            }
        }
        run = 0;
    }

    private static boolean isBase64(byte b) {
        return (b >= 'a' && b <= 'z')
                || (b >= 'A' && b <= 'Z')
                || (b >= '0' && b <= '9')
                || b == '+'
                || b == '/'
                || b == '-'
                || b == '_'
                || b == '=';
    }

    private void add(byte next) {
        if (size == limit) {
            cut = true;
            return;
        }
        if (size == bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.min(limit, 2 * size));
        }
        bytes[size++] = next;
    }

    /** The body has come to its end: nothing is missing because the client left, or was refused, before that. */
    void end() {
        ended = true;
    }

    /** What was copied; null if nothing was. Nothing may be fed any more. */
    @Nullable
    AuditedBody toAuditedBody() {
        endRun();
        return size == 0 ? null : new AuditedBody(ByteBuffer.wrap(bytes, 0, size), cut || !ended, prompt);
    }
}
