package io.drover.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.drover.backend.Backend;
import io.drover.backend.BackendStatus;
import io.drover.backend.Cluster;
import io.drover.backend.ModelPace;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/** The herd as the balancer sees it, and the operators' say in it. */
final class BackendsApi {
    private static final JsonFactory JSON = new JsonFactory();
    private static final double NANOS_PER_SECOND = 1e9;

    private final Supplier<Cluster> cluster;

    BackendsApi(Supplier<Cluster> cluster) {
        this.cluster = cluster;
    }

    /** What {@code GET /api/backends} answers. */
    byte[] list() {
        long now = System.nanoTime();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeArrayFieldStart("backends");
            for (Backend backend : cluster.get().backends()) {
                write(json, backend, now);
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    private static void write(JsonGenerator json, Backend backend, long now) throws IOException {
        BackendStatus status = backend.status(now);
        json.writeStartObject();
        json.writeStringField("name", backend.name());
        json.writeStringField("url", backend.config().url().toString());
        json.writeStringField("version", backend.version());
        json.writeStringField("state", status.state().name().toLowerCase(Locale.ROOT));
        json.writeBooleanField("up", backend.isUp(now));
        json.writeBooleanField("drained", backend.isDraining());
        json.writeStringField("reason", status.reason());
        if (status.sinceNanos() < 0) {
            json.writeNullField("seconds");
        } else {
            json.writeNumberField("seconds", Math.round(status.sinceNanos() / NANOS_PER_SECOND * 1000) / 1000.0);
        }
        json.writeNumberField("inflight", backend.inFlight());
        json.writeNumberField("weight", backend.config().weight());
        json.writeNumberField("share", status.share());
        json.writeBooleanField("backup", backend.config().backup());
        json.writeArrayFieldStart("models");
        for (ModelPace pace : backend.paces()) {
            json.writeStartObject();
            json.writeStringField("name", pace.model());
            number(json, "tokens_per_second", pace.tokensPerSecond());
            number(json, "usual_tokens_per_second", pace.usualTokensPerSecond());
            number(json, "first_token_seconds", pace.firstTokenSeconds());
            json.writeBooleanField("slow", pace.slow());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** To thousandths; null where nothing is known. */
    private static void number(JsonGenerator json, String field, double value) throws IOException {
        if (Double.isNaN(value)) {
            json.writeNullField(field);
        } else {
            json.writeNumberField(field, Math.round(value * 1000) / 1000.0);
        }
    }

    /** Takes a backend out of rotation or back into it; false if there is none of that name. */
    boolean drain(String name, boolean wanted) {
        Optional<Backend> found = cluster.get().backends().stream()
                .filter(backend -> backend.name().equals(name))
                .findFirst();
        found.ifPresent(backend -> backend.drain(wanted, System.nanoTime()));
        return found.isPresent();
    }
}
