package io.drover.demo;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The routes that write text: what they refuse, what they load and unload, and how they begin to generate. */
final class Inference {
    private final Simulation simulation;

    Inference(Simulation simulation) {
        this.simulation = simulation;
    }

    void register(Map<String, Map<String, Routes.Route>> routes) {
        routes.put("/api/generate", Map.of("POST", in -> in.readJson(body -> ollama(in, body, false))));
        routes.put("/api/chat", Map.of("POST", in -> in.readJson(body -> ollama(in, body, true))));
        routes.put("/v1/chat/completions", Map.of("POST", in -> in.readJson(body -> openAi(in, body, true))));
        routes.put("/v1/completions", Map.of("POST", in -> in.readJson(body -> openAi(in, body, false))));
        routes.put("/v1/responses", Map.of("POST", in -> in.readJson(body -> responses(in, body))));
        routes.put("/v1/messages", Map.of("POST", in -> in.readJson(body -> messages(in, body))));
    }

    private void ollama(Incoming in, JsonBody body, boolean chat) throws JsonBody.BadJson {
        Answer answer = in.answer();
        String name = body.string("model");
        if (name.isEmpty() && chat) {
            answer.error(400, "model is required");
            return;
        }
        SimulatedModel model = simulation.store.model(name);
        if (model == null) {
            answer.error(404, "model '" + name + "' not found");
            return;
        }
        Duration keepAlive = KeepAlive.of(body);
        boolean empty = chat
                ? body.list("messages").isEmpty()
                : body.string("prompt").isEmpty() && body.string("suffix").isEmpty();
        OllamaDialect dialect = new OllamaDialect(chat, name, simulation.stamp);
        if (empty && keepAlive != null && keepAlive.isZero()) {
            simulation.scheduler.unload(model);
            answer.json(200, dialect.control("unload"));
            return;
        }
        String refusal = refusal(body, model, name, chat);
        if (refusal != null) {
            answer.error(400, refusal);
            return;
        }
        JsonBody options = body.nested("options");
        for (String option : List.of("num_ctx", "num_predict", "seed", "num_batch", "num_gpu", "num_thread")) {
            if (options.has(option) && !(options.get(option) instanceof Number)) {
                answer.error(500, "option \"" + option + "\" must be of type integer");
                return;
            }
        }
        int numCtx = number(options, "num_ctx");
        if (empty) {
            load(in, model, numCtx, keepAlive, () -> answer.json(200, dialect.control("load")));
            return;
        }
        Object asked = chat ? body.get("messages") : body.string("system") + body.string("prompt");
        boolean stream = body.bool("stream", true);
        generate(
                in,
                dialect,
                new Asked(
                        model,
                        asked,
                        seed(options),
                        number(options, "num_predict"),
                        numCtx,
                        keepAlive,
                        body.bool("raw", false),
                        stream));
    }

    private static @Nullable String refusal(JsonBody body, SimulatedModel model, String name, boolean chat)
            throws JsonBody.BadJson {
        long top = body.integer("top_logprobs", 0);
        if (top < 0 || top > 20) {
            return "top_logprobs must be between 0 and 20";
        }
        if (!model.generates()) {
            return "\"" + name + "\" does not support " + (chat ? "chat" : "generate");
        }
        if (!chat && body.bool("raw", false) && (body.has("template") || body.has("system") || body.has("context"))) {
            return "raw mode does not support template, system, or context";
        }
        if (body.get("think") instanceof Boolean think
                && think
                && !model.capabilities().contains("thinking")) {
            return "\"" + name + "\" does not support thinking";
        }
        return null;
    }

    private void load(Incoming in, SimulatedModel model, int numCtx, @Nullable Duration keepAlive, Runnable loaded) {
        Scheduler.Turn turn = new Scheduler.Turn(model, numCtx, keepAlive, false, in.loop(), () -> {
            if (!in.isGone()) {
                loaded.run();
            }
        });
        in.onCancel(() -> simulation.scheduler.end(turn));
        if (!simulation.scheduler.submit(turn)) {
            in.answer().error(503, Incoming.BUSY);
        }
    }

    private void openAi(Incoming in, JsonBody body, boolean chat) throws JsonBody.BadJson {
        if (chat && body.list("messages").isEmpty()) {
            in.answer().invalid("[] is too short - 'messages'");
            return;
        }
        if (!chat && body.has("prompt") && !(body.get("prompt") instanceof String)) {
            in.answer().invalid("prompt must be a single string");
            return;
        }
        Object asked = chat ? body.get("messages") : body.string("prompt");
        boolean usage = body.nested("stream_options").bool("include_usage", false);
        Asked all = asked(in, body, asked, seed(body), number(body, "max_tokens"), chat ? "chat" : "generate");
        if (all != null) {
            generate(in, new OpenAiDialect(chat, body.string("model"), usage, all.seed(), simulation.stamp), all);
        }
    }

    private void responses(Incoming in, JsonBody body) throws JsonBody.BadJson {
        Asked all = asked(in, body, body.get("input"), 0, number(body, "max_output_tokens"), "chat");
        if (all != null) {
            generate(in, new ResponsesDialect(body.string("model"), all.seed(), simulation.stamp), all);
        }
    }

    private void messages(Incoming in, JsonBody body) throws JsonBody.BadJson {
        String missing = null;
        if (body.string("model").isEmpty()) {
            missing = "model is required";
        } else if (body.integer("max_tokens", 0) <= 0) {
            missing = "max_tokens is required and must be positive";
        } else if (body.list("messages").isEmpty()) {
            missing = "messages is required";
        }
        if (missing != null) {
            in.answer().invalid(missing);
            return;
        }
        // max_tokens is obligatory here and says little: only a smaller one ends the text.
        int most = number(body, "max_tokens");
        int tokens = most < simulation.settings.tokens() ? most : 0;
        Asked all = asked(in, body, body.get("messages"), 0, tokens, "chat");
        if (all != null) {
            generate(in, new AnthropicDialect(body.string("model"), all.seed(), simulation.stamp), all);
        }
    }

    /** What a {@code /v1} request asks for; null if it was refused. */
    private @Nullable Asked asked(
            Incoming in, JsonBody body, @Nullable Object asked, long seed, int tokens, String capability)
            throws JsonBody.BadJson {
        String name = body.string("model");
        SimulatedModel model = simulation.store.model(name);
        if (model == null) {
            boolean nameless = name.isEmpty() && capability.equals("chat");
            in.answer().error(nameless ? 400 : 404, nameless ? "model is required" : "model '" + name + "' not found");
            return null;
        }
        if (!model.generates()) {
            in.answer().error(400, "\"" + name + "\" does not support " + capability);
            return null;
        }
        return new Asked(model, asked, seed, tokens, 0, null, false, body.bool("stream", false));
    }

    /**
     * @param prompt whatever stands for it: its hash decides the text
     * @param tokens 0 or less: the usual number
     */
    private record Asked(
            SimulatedModel model,
            @Nullable Object prompt,
            long seed,
            int tokens,
            int numCtx,
            @Nullable Duration keepAlive,
            boolean raw,
            boolean stream) {}

    private void generate(Incoming in, Dialect dialect, Asked asked) {
        long hash = (SimulatedModel.key(asked.model().name()).hashCode() * 31L + Objects.hashCode(asked.prompt())) * 31L
                + asked.seed();
        int promptTokens = (int) Math.min(Integer.MAX_VALUE / 2, 1 + JsonBody.characters(asked.prompt()) / 4);
        boolean limited = asked.tokens() > 0;
        int tokens = limited ? asked.tokens() : simulation.settings.tokens();
        new Generation(
                        simulation,
                        in,
                        dialect,
                        new Generation.Task(
                                asked.model(),
                                hash,
                                promptTokens,
                                tokens,
                                limited,
                                asked.numCtx(),
                                asked.keepAlive(),
                                asked.raw(),
                                asked.stream()))
                .start();
    }

    private static int number(JsonBody body, String name) {
        return body.get(name) instanceof Number number ? number.intValue() : 0;
    }

    private static long seed(JsonBody body) {
        return body.get("seed") instanceof Number number ? number.longValue() : 0;
    }
}
