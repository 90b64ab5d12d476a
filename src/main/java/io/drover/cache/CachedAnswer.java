package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** A complete answer with status 200 as it is kept: the bytes that came, without HTTP's framing. Immutable; any thread. */
public final class CachedAnswer {
    private final Endpoint endpoint;
    private final Form form;
    private final String contentType;
    private final byte[] body;
    private final Origin origin;

    private CachedAnswer(Endpoint endpoint, Form form, String contentType, byte[] body, Origin origin) {
        this.endpoint = endpoint;
        this.form = form;
        this.contentType = contentType;
        this.body = body;
        this.origin = origin;
    }

    /**
     * An answer that has just come.
     *
     * @param body becomes the answer's own
     * @return null where it must not be kept: it is no whole answer, or an error, or tells of a model that was loaded only
     */
    public static @Nullable CachedAnswer of(
            Endpoint endpoint, Form form, String contentType, byte[] body, Origin origin) {
        return new CachedAnswer(endpoint, form, contentType, body, origin);
    }

    public Endpoint endpoint() {
        return endpoint;
    }

    public Form form() {
        return form;
    }

    public String contentType() {
        return contentType;
    }

    public Origin origin() {
        return origin;
    }

    /** Bytes of memory that it takes, about. */
    public int weight() {
        return body.length;
    }

    /** As that form tells it; null where it cannot. */
    public @Nullable CachedAnswer as(Form other) {
        return other == form ? this : null;
    }

    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(body.length + 128);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeUTF(endpoint.name());
            out.writeUTF(form.name());
            out.writeUTF(contentType);
            out.writeUTF(origin.model());
            out.writeLong(origin.generation());
            out.writeLong(origin.atMillis());
            out.write(body);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    /** Null if these are not what {@link #toBytes} gave. */
    static @Nullable CachedAnswer fromBytes(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            Endpoint endpoint = Endpoint.valueOf(in.readUTF());
            Form form = Form.valueOf(in.readUTF());
            String contentType = in.readUTF();
            Origin origin = new Origin(in.readUTF(), in.readLong(), in.readLong());
            return new CachedAnswer(endpoint, form, contentType, in.readAllBytes(), origin);
        } catch (IOException | IllegalArgumentException notOurs) {
            return null;
        }
    }
}
