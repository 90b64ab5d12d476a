package io.drover.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.drover.server.LiveConfig.Reloaded;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** A reload by the admin port. */
final class ReloadApi {
    private static final JsonFactory JSON = new JsonFactory();

    private final Supplier<CompletionStage<Reloaded>> reload;

    ReloadApi(Supplier<CompletionStage<Reloaded>> reload) {
        this.reload = reload;
    }

    /** What a reload that succeeds answers; fails as {@link LiveConfig#reload} does. */
    CompletionStage<byte[]> reload() {
        return reload.get().thenApply(ReloadApi::body);
    }

    private static byte[] body(Reloaded reloaded) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            write(json, "added", reloaded.added());
            write(json, "removed", reloaded.removed());
            write(json, "needs_restart", reloaded.restartKeys());
            write(json, "warnings", reloaded.warnings());
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    private static void write(JsonGenerator json, String field, List<String> values) throws IOException {
        json.writeArrayFieldStart(field);
        for (String value : values) {
            json.writeString(value);
        }
        json.writeEndArray();
    }
}
