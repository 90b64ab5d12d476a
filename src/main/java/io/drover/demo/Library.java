package io.drover.demo;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What changes the models: pull, push, create, copy, delete. */
final class Library {
    /** A model whose name contains this is in no registry. */
    static final String UNKNOWN = "no-such";

    private final Simulation simulation;

    Library(Simulation simulation) {
        this.simulation = simulation;
    }

    void register(Map<String, Map<String, Routes.Route>> routes) {
        routes.put("/api/pull", Map.of("POST", in -> in.readJson(body -> pull(in, body))));
        routes.put("/api/push", Map.of("POST", in -> in.readJson(body -> push(in, body))));
        routes.put("/api/create", Map.of("POST", in -> in.readJson(body -> create(in, body))));
        routes.put("/api/copy", Map.of("POST", in -> in.readJson(body -> copy(in, body))));
        routes.put("/api/delete", Map.of("DELETE", in -> in.readJson(body -> delete(in, body))));
    }

    private void pull(Incoming in, JsonBody body) throws JsonBody.BadJson {
        String name = body.model();
        if (name.isEmpty()) {
            in.answer().error(400, "invalid model name");
            return;
        }
        List<byte[]> lines = new ArrayList<>();
        lines.add(status("pulling manifest"));
        if (name.toLowerCase(Locale.ROOT).contains(UNKNOWN)) {
            lines.add(error("pull model manifest: file does not exist"));
            progress(in, body, lines, () -> {});
            return;
        }
        SimulatedModel model = simulation.store.registered(name);
        transfer(lines, "pulling ", layer(model.name()), model.size(), 5);
        transfer(lines, "pulling ", layer(model.name() + " template"), 1429, 1);
        lines.add(status("verifying sha256 digest"));
        lines.add(status("writing manifest"));
        lines.add(status("success"));
        progress(in, body, lines, () -> simulation.store.add(model));
    }

    private void push(Incoming in, JsonBody body) throws JsonBody.BadJson {
        String name = body.model();
        SimulatedModel model = simulation.store.model(name);
        List<byte[]> lines = new ArrayList<>();
        lines.add(status("retrieving manifest"));
        if (model == null) {
            lines.add(error("model '" + name + "' not found"));
        } else {
            transfer(lines, "pushing ", layer(model.name()), model.size(), 3);
            lines.add(status("pushing manifest"));
            lines.add(status("success"));
        }
        progress(in, body, lines, () -> {});
    }

    private void create(Incoming in, JsonBody body) throws JsonBody.BadJson {
        String name = body.model();
        String from = body.string("from");
        JsonBody files = body.nested("files");
        List<byte[]> lines = new ArrayList<>();
        if (name.isEmpty()) {
            in.answer().streamError(400, "invalid model name");
            return;
        }
        if (from.isEmpty() && !body.has("files")) {
            in.answer().streamError(400, "neither 'from' or 'files' was specified");
            return;
        }
        SimulatedModel model = SimulatedModel.named(name);
        if (from.isEmpty()) {
            lines.add(status("parsing GGUF"));
            for (Object digest : files.values()) {
                String blob = String.valueOf(digest);
                if (!simulation.store.hasBlob(blob)) {
                    lines.add(error("open /root/.ollama/models/blobs/" + blob.replace(':', '-')
                            + ": no such file or directory"));
                    progress(in, body, lines, () -> {});
                    return;
                }
                lines.add(status("using existing layer " + blob));
            }
        } else {
            SimulatedModel parent = simulation.store.model(from);
            lines.add(status("using existing layer " + layer((parent == null ? model : parent).name())));
        }
        lines.add(status("creating new layer " + layer(model.name() + " config")));
        lines.add(status("writing manifest"));
        lines.add(status("success"));
        progress(in, body, lines, () -> simulation.store.add(model));
    }

    private void copy(Incoming in, JsonBody body) throws JsonBody.BadJson {
        String source = body.string("source");
        String destination = body.string("destination");
        if (source.isEmpty() || destination.isEmpty()) {
            String which = source.isEmpty() ? "source" : "destination";
            in.answer().error(400, which + " \"\" is invalid");
            return;
        }
        SimulatedModel model = simulation.store.model(source);
        if (model == null) {
            in.answer().error(404, "model \"" + source + "\" not found");
        } else {
            simulation.store.add(model.as(destination));
            in.answer().empty(200);
        }
    }

    private void delete(Incoming in, JsonBody body) throws JsonBody.BadJson {
        String name = body.model();
        if (simulation.store.delete(name)) {
            in.answer().empty(200);
        } else {
            in.answer().error(404, "model '" + name + "' not found");
        }
    }

    /** Tells all lines one after the other, or only how it ended. */
    private void progress(Incoming in, JsonBody body, List<byte[]> lines, Runnable done) throws JsonBody.BadJson {
        Answer answer = in.answer();
        if (body.bool("stream", true)) {
            simulation.pacer(in.loop()).add(new Progress(in, lines, done), System.nanoTime());
            return;
        }
        String last = new String(lines.get(lines.size() - 1), StandardCharsets.UTF_8).trim();
        boolean failed = last.startsWith("{\"error\"");
        if (!failed) {
            done.run();
        }
        answer.whole(failed ? 500 : 200, Answer.PLAIN_JSON, last.getBytes(StandardCharsets.UTF_8));
    }

    /** One progress stream; a client that leaves stops it before it is done. */
    private final class Progress implements Pacer.Paced {
        private final Incoming in;
        private final List<byte[]> lines;
        private final Runnable done;
        private int next;

        Progress(Incoming in, List<byte[]> lines, Runnable done) {
            this.in = in;
            this.lines = lines;
            this.done = done;
        }

        @Override
        public long onDue(long now) {
            Answer answer = in.answer();
            if (in.isGone()) {
                return Pacer.NEVER;
            }
            if (next == 0) {
                answer.stream(200, Answer.NDJSON);
            }
            if (next == lines.size() - 1) {
                // Before the client can know: who reads "success" finds the model.
                done.run();
            }
            boolean sent = answer.send(lines.get(next));
            next++;
            answer.flush();
            if (!sent) {
                return Pacer.NEVER;
            }
            if (next == lines.size()) {
                answer.end();
                return Pacer.NEVER;
            }
            return now + simulation.settings.progressInterval().toNanos();
        }
    }

    private static void transfer(List<byte[]> lines, String verb, String digest, long total, int steps) {
        String status = verb + digest.substring("sha256:".length(), "sha256:".length() + 12);
        for (int step = 0; step <= steps; step++) {
            long completed = total * step / steps;
            lines.add(Json.line(json -> {
                json.writeStringField("status", status);
                json.writeStringField("digest", digest);
                json.writeNumberField("total", total);
                Totals.writeIfSet(json, "completed", completed);
            }));
        }
    }

    private static byte[] status(String status) {
        return Json.line(json -> json.writeStringField("status", status));
    }

    private static byte[] error(String message) {
        return Json.line(json -> writeError(json, message));
    }

    private static void writeError(JsonGenerator json, String message) throws IOException {
        json.writeStringField("error", message);
    }

    private static String layer(String of) {
        return "sha256:" + Digests.sha256(of.getBytes(StandardCharsets.UTF_8));
    }
}
