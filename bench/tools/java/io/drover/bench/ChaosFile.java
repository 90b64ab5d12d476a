package io.drover.bench;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.drover.bench.SeenAnswer.Ending;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The raw figures, for whoever wants to reckon with them himself. Times in seconds. */
final class ChaosFile {
    private ChaosFile() {}

    static void write(Path file, Map<String, String> machine, List<Ordeal> ordeals, List<Promise> promises)
            throws IOException {
        try (JsonGenerator json = new JsonFactory()
                .createGenerator(file.toFile(), JsonEncoding.UTF8)
                .useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeObjectFieldStart("machine");
            for (Map.Entry<String, String> fact : machine.entrySet()) {
                json.writeStringField(fact.getKey(), fact.getValue());
            }
            json.writeEndObject();
            json.writeArrayFieldStart("disasters");
            for (Ordeal ordeal : ordeals) {
                write(json, ordeal);
            }
            json.writeEndArray();
            json.writeArrayFieldStart("promises");
            for (Promise promise : promises) {
                json.writeStartObject();
                json.writeStringField("promise", promise.what());
                json.writeStringField("found", promise.found());
                json.writeBooleanField("kept", promise.kept());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private static void write(JsonGenerator json, Ordeal ordeal) throws IOException {
        json.writeStartObject();
        json.writeStringField("proxy", ordeal.proxy());
        json.writeStringField("disaster", ordeal.words());
        json.writeStringField("backend", ordeal.backend());
        json.writeNumberField("lasted", rounded(ordeal.sinceStruck(ordeal.restoredNanos())));
        for (Ending ending : Ending.values()) {
            json.writeNumberField(ending.name().toLowerCase(Locale.ROOT), ordeal.count(ending));
        }
        json.writeNumberField("longestWait", rounded(ordeal.longestWaitSeconds()));
        json.writeArrayFieldStart("toIt");
        for (long at : ordeal.toIt()) {
            json.writeNumber(rounded(ordeal.sinceStruck(at)));
        }
        json.writeEndArray();
        if (ordeal.againNanos() != 0) {
            json.writeNumberField("again", rounded(ordeal.sinceRestored(ordeal.againNanos())));
        }
        if (ordeal.fullNanos() != 0) {
            json.writeNumberField("itsShare", rounded(ordeal.sinceRestored(ordeal.fullNanos())));
        }
        json.writeEndObject();
    }

    private static double rounded(double seconds) {
        return Math.round(seconds * 1000) / 1000.0;
    }
}
