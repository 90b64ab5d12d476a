package io.drover.demo;

import com.fasterxml.jackson.core.JsonGenerator;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.io.IOException;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Ollama's route table: which handler a method and path have, and what a wrong one gets. Immutable. */
final class Routes {
    private static final Set<String> INFERENCE = Set.of(
            "/api/generate",
            "/api/chat",
            "/api/embed",
            "/api/embeddings",
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/embeddings",
            "/v1/responses",
            "/v1/messages",
            "/v1/audio/transcriptions");
    private static final Pattern UNCLEAN = Pattern.compile("//|/\\.\\.?(/|$)");

    /** Answers one request; called when its head has come. */
    interface Route {
        void onHead(Incoming in);
    }

    private final Simulation simulation;
    private final LoopbackRules loopback;
    private final Map<String, Map<String, Route>> exact = new HashMap<>();
    // Prefixes of paths whose last part is a parameter.
    private final Map<String, Map<String, Route>> prefixes = new HashMap<>();

    Routes(Simulation simulation) {
        this.simulation = simulation;
        this.loopback = new LoopbackRules();
        new Inference(simulation).register(exact);
        new Embedding(simulation).register(exact);
        new Listings(simulation).register(exact, prefixes);
        new Library(simulation).register(exact);
        new Blobs(simulation).register(prefixes);
        exact.put("/v1/audio/transcriptions", Map.of("POST", new Transcription(simulation)));
        registerPlain();
    }

    private void registerPlain() {
        Route root =
                in -> in.ignoreBody(() -> in.answer().whole(200, Answer.TEXT_UTF8, Json.ascii("Ollama is running")));
        exact.put("/", Map.of("GET", root, "HEAD", root));
        String version = simulation.settings.version();
        Route versions = constant(200, json -> json.writeStringField("version", version));
        exact.put("/api/version", Map.of("GET", versions, "HEAD", versions));
        exact.put("/api/status", Map.of("GET", constant(200, json -> {
            json.writeObjectFieldStart("cloud");
            json.writeBooleanField("disabled", true);
            json.writeStringField("source", "env");
            json.writeEndObject();
        })));
        Route unauthorized = constant(401, Routes::signIn);
        exact.put("/api/me", Map.of("POST", unauthorized));
        exact.put("/api/signout", Map.of("POST", unauthorized));
        prefixes.put("/api/user/keys/", Map.of("DELETE", unauthorized));
        exact.put("/api/experimental/web_search", Map.of("POST", unauthorized));
        exact.put("/api/experimental/web_fetch", Map.of("POST", unauthorized));
        exact.put("/api/experimental/model-recommendations", Map.of("GET", constant(200, json -> {
            json.writeArrayFieldStart("recommendations");
            json.writeEndArray();
        })));
    }

    private static void signIn(JsonGenerator json) throws IOException {
        json.writeStringField("error", "unauthorized");
        json.writeStringField("signin_url", "https://ollama.com/connect?name=simulated&key=c2ltdWxhdGVk");
    }

    private static Route constant(int status, Json.Fields fields) {
        byte[] body = Json.object(fields);
        return in -> in.ignoreBody(() -> in.answer().json(status, body));
    }

    boolean isInference(String path) {
        return INFERENCE.contains(path);
    }

    void dispatch(Incoming in) {
        String path = in.path();
        if (UNCLEAN.matcher(path).find()) {
            redirect(in, clean(path));
            return;
        }
        if (simulation.settings.hasLoopbackRules() && loopback.answers(in)) {
            return;
        }
        Map<String, Route> methods = find(path);
        if (methods.isEmpty()) {
            String other = path.endsWith("/") ? path.substring(0, path.length() - 1) : path + "/";
            if (path.length() > 1 && !find(other).isEmpty()) {
                redirect(in, other);
            } else {
                in.ignoreBody(() -> in.answer().whole(404, Answer.TEXT, Json.ascii("404 page not found")));
            }
            return;
        }
        Route route = methods.get(in.request().method().name());
        if (route == null) {
            in.answer().header(HttpHeaderNames.ALLOW, String.join(", ", new TreeMap<>(methods).keySet()));
            in.ignoreBody(() -> in.answer().whole(405, Answer.TEXT, Json.ascii("405 method not allowed")));
        } else {
            route.onHead(in);
        }
    }

    private Map<String, Route> find(String path) {
        Map<String, Route> methods = exact.get(path);
        if (methods != null) {
            return methods;
        }
        int slash = path.lastIndexOf('/') + 1;
        return slash == path.length() ? Map.of() : prefixes.getOrDefault(path.substring(0, slash), Map.of());
    }

    private static void redirect(Incoming in, String path) {
        int query = in.request().uri().indexOf('?');
        in.answer()
                .header(
                        HttpHeaderNames.LOCATION,
                        query < 0 ? path : path + in.request().uri().substring(query));
        boolean get = in.request().method().name().equals("GET");
        in.ignoreBody(() -> in.answer().empty(get ? 301 : 307));
    }

    private static String clean(String path) {
        String clean = URI.create(path.replaceAll("/{2,}", "/").replace(" ", "%20"))
                .normalize()
                .getPath();
        return clean.startsWith("/..") ? "/" : clean;
    }
}
