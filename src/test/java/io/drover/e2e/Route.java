package io.drover.e2e;

import io.drover.testing.RawClient;

/** The kinds of routes that differ in what may be done with a request. */
enum Route {
    /** Kept whole, may be sent again before the first byte of an answer. */
    CHAT("POST", "/api/chat", true),
    /** Streamed through, never sent again. */
    COPY("POST", "/api/copy", false),
    /** As {@link #COPY}, on a path that Drover does not know. */
    UNKNOWN("PUT", "/next/years/ollama", false),
    /** No body, no side effect: sent again only where a reused connection was stale. */
    TAGS("GET", "/api/tags", false);

    static final String BODY = "{\"model\":\"llama3.2\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

    final String method;
    final String path;
    final boolean replayable;

    Route(String method, String path, boolean replayable) {
        this.method = method;
        this.path = path;
        this.replayable = replayable;
    }

    String body() {
        return this == TAGS ? "" : BODY;
    }

    /** A valid body of at least so many bytes. */
    static String body(int atLeast) {
        return BODY.replace("hi", "x".repeat(atLeast));
    }

    RawClient send(RawClient client) {
        return client.request(method, path, body());
    }
}
