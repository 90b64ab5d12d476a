package io.drover.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Iterator;
import java.util.stream.Stream;

/** A request for a streamed answer, in the shape of the API that its address belongs to. */
final class StreamedRequest {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String EVENT = "data: ";
    private static final int MOST_OF_AN_ERROR = 200;

    private final HttpClient client;
    private final URI target;
    private final String model;
    private final String prompt;
    private final HttpRequest.Builder head;

    /** @param timeout for the answer's head */
    StreamedRequest(URI url, String key, String model, String prompt, Duration timeout) {
        String path = url.getPath() == null ? "" : url.getPath();
        this.target = path.isEmpty() || path.equals("/") ? url.resolve("/api/chat") : url;
        this.model = model;
        this.prompt = prompt;
        client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
        head = HttpRequest.newBuilder(target).timeout(timeout).header("Content-Type", "application/json");
        if (!key.isEmpty()) {
            head.header("Authorization", "Bearer " + key);
        }
    }

    /** How one was answered; {@code error} is empty if it was, whole. */
    record Answer(long nanos, long firstTokenNanos, long tokens, String error) {
        static Answer failed(String error) {
            return new Answer(0, 0, 0, error);
        }
    }

    private static String body(String path, String model, String prompt, int tokens) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("model", model);
            json.writeBooleanField("stream", true);
            if (path.endsWith("/generate")) {
                json.writeStringField("prompt", prompt);
            } else {
                json.writeArrayFieldStart("messages");
                json.writeStartObject();
                json.writeStringField("role", "user");
                json.writeStringField("content", prompt);
                json.writeEndObject();
                json.writeEndArray();
            }
            if (path.startsWith("/v1/")) {
                json.writeNumberField("max_tokens", tokens);
            } else {
                json.writeObjectFieldStart("options");
                json.writeNumberField("num_predict", tokens);
                json.writeEndObject();
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    /** @param tokens at most */
    Answer send(int tokens) {
        HttpRequest request = head.copy()
                .POST(HttpRequest.BodyPublishers.ofString(body(target.getPath(), model, prompt, tokens)))
                .build();
        long start = System.nanoTime();
        try {
            HttpResponse<Stream<String>> response = client.send(request, HttpResponse.BodyHandlers.ofLines());
            try (Stream<String> lines = response.body()) {
                return response.statusCode() == 200
                        ? read(lines.iterator(), start)
                        : Answer.failed("status " + response.statusCode() + ": "
                                + lines.findFirst()
                                        .map(StreamedRequest::shortened)
                                        .orElse(""));
            }
        } catch (ConnectException e) {
            return Answer.failed("cannot connect to " + target.getAuthority());
        } catch (IOException | UncheckedIOException e) {
            return Answer.failed(
                    String.valueOf(e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Answer.failed("interrupted");
        }
    }

    private static Answer read(Iterator<String> lines, long start) throws IOException {
        long first = 0;
        long count = 0;
        boolean done = false;
        while (lines.hasNext()) {
            String line = lines.next();
            String json = line.startsWith(EVENT) ? line.substring(EVENT.length()) : line;
            if (json.equals("[DONE]")) {
                done = true;
            } else if (!json.isBlank()) {
                Line said = Line.of(json);
                if (said.failed) {
                    return Answer.failed(shortened(json));
                }
                if (said.text) {
                    count++;
                    first = first == 0 ? System.nanoTime() - start : first;
                }
                done |= said.done;
                count = Math.max(count, said.evalCount);
            }
        }
        long whole = System.nanoTime() - start;
        return done ? new Answer(whole, first == 0 ? whole : first, count, "") : Answer.failed("the answer broke off");
    }

    private static String shortened(String text) {
        return text.length() <= MOST_OF_AN_ERROR ? text : text.substring(0, MOST_OF_AN_ERROR) + "...";
    }

    /** What one line of an answer says, whichever API it belongs to. */
    private static final class Line {
        private boolean text;
        private boolean done;
        private long evalCount;
        private boolean failed;

        static Line of(String json) throws IOException {
            Line said = new Line();
            try (JsonParser parser = JSON.createParser(json)) {
                while (parser.nextToken() != null) {
                    said.take(parser);
                }
            }
            return said;
        }

        private void take(JsonParser parser) throws IOException {
            JsonToken token = parser.currentToken();
            String name = String.valueOf(parser.currentName());
            switch (name) {
                case "content", "response", "thinking", "reasoning" ->
                    text |= token == JsonToken.VALUE_STRING && parser.getTextLength() > 0;
                case "done" -> done |= token == JsonToken.VALUE_TRUE;
                case "eval_count" -> evalCount = token.isNumeric() ? parser.getLongValue() : evalCount;
                case "error" -> failed |= token == JsonToken.VALUE_STRING || token == JsonToken.START_OBJECT;
                default -> {}
            }
        }
    }
}
