package io.drover.demo;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The routes that embed. A vector follows from its input alone, whatever else is in the batch. Those of texts that differ
 * in case, spaces and punctuation only have a cosine of 0.99; those of others have next to none.
 */
final class Embedding {
    private static final Pattern SPELLING = Pattern.compile("[^\\p{L}\\p{N}]+");
    private static final double SHARE_OF_SPELLING = 0.1;

    private final Simulation simulation;

    Embedding(Simulation simulation) {
        this.simulation = simulation;
    }

    void register(Map<String, Map<String, Routes.Route>> routes) {
        routes.put("/api/embed", Map.of("POST", in -> in.readJson(body -> embed(in, body))));
        routes.put("/api/embeddings", Map.of("POST", in -> in.readJson(body -> embeddings(in, body))));
        routes.put("/v1/embeddings", Map.of("POST", in -> in.readJson(body -> openAi(in, body))));
    }

    private void embed(Incoming in, JsonBody body) throws JsonBody.BadJson {
        Answer answer = in.answer();
        List<String> inputs = inputs(body.get("input"));
        if (inputs == null) {
            answer.error(400, "invalid input type");
            return;
        }
        String name = body.string("model");
        SimulatedModel model = find(in, name);
        if (model == null) {
            return;
        }
        int dimensions = dimensions(body, model);
        whenDone(
                in,
                model,
                body,
                loadNanos -> answer.json(200, Json.object(json -> {
                    json.writeStringField("model", name);
                    json.writeArrayFieldStart("embeddings");
                    for (String input : inputs) {
                        Json.vector(json, vector(model, input, dimensions));
                    }
                    json.writeEndArray();
                    if (!inputs.isEmpty()) {
                        long prompt = simulation.settings.firstToken().toNanos();
                        long load = simulation.stamp.isFixed() ? 1_000_000 : loadNanos;
                        Totals.writeIfSet(json, "total_duration", load + prompt);
                        Totals.writeIfSet(json, "load_duration", load);
                        Totals.writeIfSet(json, "prompt_eval_count", tokens(inputs));
                    }
                })));
    }

    private void embeddings(Incoming in, JsonBody body) throws JsonBody.BadJson {
        SimulatedModel model = find(in, body.string("model"));
        if (model == null) {
            return;
        }
        String prompt = body.string("prompt");
        whenDone(in, model, body, loadNanos -> in.answer().json(200, Json.object(json -> {
            json.writeFieldName("embedding");
            Json.vector(json, prompt.isEmpty() ? new float[0] : vector(model, prompt, model.embeddingLength()));
        })));
    }

    private void openAi(Incoming in, JsonBody body) throws JsonBody.BadJson {
        List<String> inputs = inputs(body.get("input"));
        if (inputs == null || inputs.isEmpty()) {
            in.answer().invalid("invalid input");
            return;
        }
        String name = body.string("model");
        SimulatedModel model = find(in, name);
        if (model == null) {
            return;
        }
        boolean base64 = body.string("encoding_format").equals("base64");
        int dimensions = dimensions(body, model);
        whenDone(in, model, body, loadNanos -> in.answer().whole(200, Answer.PLAIN_JSON, Json.line(json -> {
            json.writeStringField("object", "list");
            json.writeArrayFieldStart("data");
            for (int i = 0; i < inputs.size(); i++) {
                element(json, i, vector(model, inputs.get(i), dimensions), base64);
            }
            json.writeEndArray();
            json.writeStringField("model", name);
            json.writeObjectFieldStart("usage");
            json.writeNumberField("prompt_tokens", tokens(inputs));
            json.writeNumberField("total_tokens", tokens(inputs));
            json.writeEndObject();
        })));
    }

    private static void element(JsonGenerator json, int index, float[] vector, boolean base64) throws IOException {
        json.writeStartObject();
        json.writeStringField("object", "embedding");
        json.writeFieldName("embedding");
        if (base64) {
            ByteBuffer bytes = ByteBuffer.allocate(4 * vector.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(vector);
            json.writeString(Base64.getEncoder().encodeToString(bytes.array()));
        } else {
            Json.vector(json, vector);
        }
        json.writeNumberField("index", index);
        json.writeEndObject();
    }

    private @Nullable SimulatedModel find(Incoming in, String name) {
        SimulatedModel model = simulation.store.model(name);
        if (model == null) {
            in.answer().error(404, "model \"" + name + "\" not found, try pulling it first");
        }
        return model;
    }

    private interface Done {
        void onDone(long loadNanos);
    }

    /** Takes a slot for as long as a first token takes. */
    private void whenDone(Incoming in, SimulatedModel model, JsonBody body, Done done) throws JsonBody.BadJson {
        new Work(in, model, KeepAlive.of(body), done).start();
    }

    /** One batch; it takes one slot, not one per input as the real one does. */
    private final class Work implements Pacer.Paced {
        private final Incoming in;
        private final Done done;
        private final Scheduler.Turn turn;
        private boolean running;

        Work(Incoming in, SimulatedModel model, @Nullable Duration keepAlive, Done done) {
            this.in = in;
            this.done = done;
            this.turn = new Scheduler.Turn(model, 0, keepAlive, true, in.loop(), this::onGranted);
        }

        void start() {
            in.onCancel(this::end);
            if (!simulation.scheduler.submit(turn)) {
                in.answer().error(503, Incoming.BUSY);
            }
        }

        private void onGranted() {
            if (!in.isGone()) {
                running = true;
                simulation.counters.begin();
                simulation
                        .pacer(in.loop())
                        .add(
                                this,
                                System.nanoTime()
                                        + simulation.settings.firstToken().toNanos());
            }
        }

        @Override
        public long onDue(long now) {
            if (running) {
                end();
                done.onDone(turn.loadNanos());
            }
            return Pacer.NEVER;
        }

        private void end() {
            simulation.scheduler.end(turn);
            if (running) {
                running = false;
                simulation.counters.end();
            }
        }
    }

    private static @Nullable List<String> inputs(@Nullable Object input) {
        if (input instanceof String text) {
            return text.isEmpty() ? List.of() : List.of(text);
        }
        if (!(input instanceof List<?> items)) {
            return null;
        }
        List<String> texts = new ArrayList<>();
        for (Object item : items) {
            if (!(item instanceof String text)) {
                return null;
            }
            texts.add(text);
        }
        return texts;
    }

    private static int tokens(List<String> inputs) {
        return inputs.stream().mapToInt(input -> 1 + input.length() / 4).sum();
    }

    private static int dimensions(JsonBody body, SimulatedModel model) throws JsonBody.BadJson {
        long asked = body.integer("dimensions", 0);
        return asked > 0 && asked < model.embeddingLength() ? (int) asked : model.embeddingLength();
    }

    private static Random random(SimulatedModel model, String text) {
        return new Random(model.digest().hashCode() * 31L + text.hashCode());
    }

    /** A vector of length 1. */
    private static float[] vector(SimulatedModel model, String input, int dimensions) {
        Random meaning = random(model, SPELLING.matcher(input).replaceAll("").toLowerCase(Locale.ROOT));
        Random spelling = random(model, input);
        float[] vector = new float[dimensions];
        double squares = 0;
        for (int i = 0; i < dimensions; i++) {
            vector[i] = (float) (meaning.nextGaussian() + SHARE_OF_SPELLING * spelling.nextGaussian());
            squares += vector[i] * vector[i];
        }
        double length = Math.sqrt(squares);
        for (int i = 0; i < dimensions; i++) {
            // Eight decimals, as many digits as a real vector shows.
            vector[i] = (float) (Math.round(vector[i] / length * 1e8) / 1e8);
        }
        return vector;
    }
}
