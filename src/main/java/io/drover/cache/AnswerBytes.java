package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Answers as Redis holds them: a byte of version, four of a checksum over all that follows, the names of endpoint and
 * form, the content type, the origin, the tokens, the places that change, the body. Numbers are big-endian.
 */
final class AnswerBytes {
    /** Grows with every change of what is written here, or of the order of {@link Fresh}. */
    private static final byte VERSION = 1;

    private static final int PREFIX = Byte.BYTES + Integer.BYTES;
    /** Of the numbers: four lengths of texts, generation, time, tokens, width of ids, count of places, length. */
    private static final int NUMBERS = 4 * Integer.BYTES + 3 * Long.BYTES + 3 * Integer.BYTES;

    private AnswerBytes() {}

    static byte[] write(CachedAnswer answer) {
        byte[] endpoint = utf8(answer.endpoint().name());
        byte[] form = utf8(answer.form().name());
        byte[] type = utf8(answer.contentType());
        byte[] model = utf8(answer.origin().model());
        Patches patches = answer.patches();
        int texts = endpoint.length + form.length + type.length + model.length;
        int places = patches.count() * (Integer.BYTES + Byte.BYTES);
        ByteBuffer out = ByteBuffer.allocate(PREFIX + NUMBERS + texts + places + answer.body().length);
        out.position(PREFIX);
        for (byte[] text : new byte[][] {endpoint, form, type, model}) {
            out.putInt(text.length).put(text);
        }
        out.putLong(answer.origin().generation())
                .putLong(answer.origin().atMillis())
                .putLong(answer.tokens())
                .putInt(patches.idWidth())
                .putInt(patches.count());
        for (int i = 0; i < patches.count(); i++) {
            out.putInt(patches.offset(i)).put(patches.kind(i));
        }
        out.putInt(answer.body().length).put(answer.body());
        out.put(0, VERSION).putInt(Byte.BYTES, checksum(out.array()));
        return out.array();
    }

    static @Nullable CachedAnswer read(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (bytes.length < PREFIX || in.get() != VERSION || in.getInt() != checksum(bytes)) {
            return null;
        }
        try {
            return read(in);
        } catch (BufferUnderflowException | IllegalArgumentException notOurs) {
            return null;
        }
    }

    private static @Nullable CachedAnswer read(ByteBuffer in) {
        Endpoint endpoint = Endpoint.valueOf(text(in));
        Form form = Form.valueOf(text(in));
        String type = text(in);
        Origin origin = new Origin(text(in), in.getLong(), in.getLong());
        long tokens = in.getLong();
        int idWidth = in.getInt();
        int count = length(in, in.getInt(), Integer.BYTES + Byte.BYTES);
        int[] offsets = new int[count];
        byte[] kinds = new byte[count];
        for (int i = 0; i < count; i++) {
            offsets[i] = in.getInt();
            kinds[i] = in.get();
        }
        byte[] body = new byte[length(in, in.getInt(), Byte.BYTES)];
        in.get(body);
        Patches patches = new Patches(offsets, kinds, idWidth);
        if (in.hasRemaining() || !patches.fit(body.length)) {
            return null;
        }
        return new CachedAnswer(endpoint, form, type, origin, tokens, new Places.Result(body, patches));
    }

    private static String text(ByteBuffer in) {
        byte[] text = new byte[length(in, in.getInt(), Byte.BYTES)];
        in.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }

    /** The count of elements that follow, before anything of that length is allocated. */
    private static int length(ByteBuffer in, int count, int size) {
        if (count < 0 || count > in.remaining() / size) {
            throw new IllegalArgumentException(count + " (expected: what is there)");
        }
        return count;
    }

    private static int checksum(byte[] bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, PREFIX, bytes.length - PREFIX);
        return (int) checksum.getValue();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
