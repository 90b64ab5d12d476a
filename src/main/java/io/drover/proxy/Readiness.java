package io.drover.proxy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.drover.backend.Backend;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Whether a request that comes now can be served, and if not, why.
 *
 * @param ready whether at least one backend can take a request and the process is not about to end
 * @param body the answer of {@code /ready}: {@code {"ready":false,"reason":"...","backends":{"gpu-a":"..."}}}
 */
public record Readiness(boolean ready, byte[] body) {
    private static final JsonFactory JSON = new JsonFactory();

    /** The answer of {@code /health}, as long as there is a process to give it. */
    public static byte[] health() {
        return new byte[] {'{', '"', 's', 't', 'a', 't', 'u', 's', '"', ':', '"', 'o', 'k', '"', '}'};
    }

    public static Readiness of(ProxyContext context) {
        long now = System.nanoTime();
        boolean draining = context.isDraining();
        boolean up = context.cluster().isUp(now);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeBooleanField("ready", up && !draining);
            if (draining) {
                json.writeStringField("reason", "shutting down");
            } else if (!up) {
                json.writeStringField("reason", "no backend is up");
            }
            json.writeObjectFieldStart("backends");
            for (Backend backend : context.cluster().backends()) {
                String reason = backend.downReason(now);
                json.writeStringField(backend.name(), reason == null ? "up" : reason);
            }
            json.writeEndObject();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return new Readiness(up && !draining, bytes.toByteArray());
    }
}
