package io.drover.cache;

import io.drover.ollama.ApiFamily;
import io.drover.ollama.Endpoint;

/** {@code Content-Type} as Ollama sends it with each form. */
final class ContentTypes {
    static final String JSON = "application/json";

    private static final String NATIVE_JSON = "application/json; charset=utf-8";
    private static final String NDJSON = "application/x-ndjson";
    private static final String EVENTS = "text/event-stream";

    private ContentTypes() {}

    static String of(Endpoint endpoint, Form form) {
        boolean ollama = endpoint.family() == ApiFamily.OLLAMA;
        if (form == Form.WHOLE) {
            return ollama ? NATIVE_JSON : JSON;
        }
        return ollama ? NDJSON : EVENTS;
    }
}
