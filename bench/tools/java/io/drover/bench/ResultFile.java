package io.drover.bench;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The raw figures, for whoever wants to reckon with them himself. */
final class ResultFile {
    private ResultFile() {}

    static void write(Path file, Map<String, String> machine, List<Contender> contenders, Results results)
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
            json.writeObjectFieldStart("contenders");
            for (Contender contender : contenders) {
                json.writeStringField(contender.name(), contender.version());
            }
            json.writeEndObject();
            json.writeArrayFieldStart("figures");
            for (Figure figure : results.figures()) {
                write(json, figure, contenders, results);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private static void write(JsonGenerator json, Figure figure, List<Contender> contenders, Results results)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("group", figure.group());
        json.writeStringField("name", figure.name());
        json.writeStringField("unit", figure.unit());
        json.writeStringField("better", figure.moreIsBetter() ? "more" : "less");
        json.writeObjectFieldStart("rounds");
        for (Contender contender : contenders) {
            json.writeArrayFieldStart(contender.name());
            for (double value : results.values(figure, contender.name())) {
                json.writeNumber(Math.round(value * 1e4) / 1e4);
            }
            json.writeEndArray();
        }
        json.writeEndObject();
        json.writeObjectFieldStart("void");
        for (Contender contender : contenders) {
            Set<String> failures = results.failures(figure.group(), contender.name());
            if (!failures.isEmpty()) {
                json.writeStringField(contender.name(), String.join("; ", failures));
            }
        }
        json.writeEndObject();
        json.writeEndObject();
    }
}
