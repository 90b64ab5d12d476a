package io.drover.ollama;

/** A route that Drover knows, or one of the kinds that it does not; what may be done with a request follows from it. */
public enum Endpoint {
    GENERATE("/api/generate", ApiFamily.OLLAMA, Kind.INFERENCE),
    CHAT("/api/chat", ApiFamily.OLLAMA, Kind.INFERENCE),
    EMBED("/api/embed", ApiFamily.OLLAMA, Kind.INFERENCE),
    /** The older form of {@link #EMBED}: one prompt, no counts in the answer. */
    EMBEDDINGS("/api/embeddings", ApiFamily.OLLAMA, Kind.INFERENCE),
    V1_CHAT_COMPLETIONS("/v1/chat/completions", ApiFamily.OPENAI, Kind.INFERENCE),
    V1_COMPLETIONS("/v1/completions", ApiFamily.OPENAI, Kind.INFERENCE),
    V1_EMBEDDINGS("/v1/embeddings", ApiFamily.OPENAI, Kind.INFERENCE),
    V1_RESPONSES("/v1/responses", ApiFamily.OPENAI, Kind.INFERENCE),
    V1_MESSAGES("/v1/messages", ApiFamily.ANTHROPIC, Kind.INFERENCE),
    /** The only one whose body is multipart: its model is a form field. */
    V1_TRANSCRIPTIONS("/v1/audio/transcriptions", ApiFamily.OPENAI, Kind.INFERENCE),

    ROOT("/", ApiFamily.OLLAMA, Kind.PLAIN),
    VERSION("/api/version", ApiFamily.OLLAMA, Kind.PLAIN),
    STATUS("/api/status", ApiFamily.OLLAMA, Kind.PLAIN),
    PS("/api/ps", ApiFamily.OLLAMA, Kind.PLAIN),
    TAGS("/api/tags", ApiFamily.OLLAMA, Kind.PLAIN),
    SHOW("/api/show", ApiFamily.OLLAMA, Kind.ABOUT_MODEL),
    V1_MODELS("/v1/models", ApiFamily.OPENAI, Kind.PLAIN),
    /** One model of {@link #V1_MODELS}, whose label it shares. */
    V1_MODEL("/v1/models", ApiFamily.OPENAI, Kind.ABOUT_MODEL),

    PULL("/api/pull", ApiFamily.OLLAMA, Kind.UNHURRIED),
    PUSH("/api/push", ApiFamily.OLLAMA, Kind.UNHURRIED),
    CREATE("/api/create", ApiFamily.OLLAMA, Kind.UNHURRIED),
    BLOBS("/api/blobs", ApiFamily.OLLAMA, Kind.UNHURRIED),
    COPY("/api/copy", ApiFamily.OLLAMA, Kind.PLAIN),
    DELETE("/api/delete", ApiFamily.OLLAMA, Kind.PLAIN),

    ME("/api/me", ApiFamily.OLLAMA, Kind.PLAIN),
    SIGNOUT("/api/signout", ApiFamily.OLLAMA, Kind.PLAIN),
    USER_KEYS("/api/user/keys", ApiFamily.OLLAMA, Kind.PLAIN),
    WEB_SEARCH("/api/experimental/web_search", ApiFamily.OLLAMA, Kind.PLAIN),
    WEB_FETCH("/api/experimental/web_fetch", ApiFamily.OLLAMA, Kind.PLAIN),
    RECOMMENDATIONS("/api/experimental/model-recommendations", ApiFamily.OLLAMA, Kind.PLAIN),

    /**
     * Drover's own where a caller has to prove who it is: {@code HEAD /}, with which the ollama CLI begins its commands. A
     * refusal of it could not say why, having no body.
     */
    HEARTBEAT("/", ApiFamily.OLLAMA, Kind.PLAIN),
    /** Drover's own: whether the process serves. */
    HEALTH("/health", ApiFamily.OLLAMA, Kind.PLAIN),
    /** Drover's own: whether a backend can take a request. */
    READY("/ready", ApiFamily.OLLAMA, Kind.PLAIN),
    /** {@code /debug/} and below, however it is spelled: never sent to a backend. */
    BLOCKED("other", ApiFamily.OLLAMA, Kind.PLAIN),

    /** Any other method or path: relayed as it is, so that next year's Ollama works too. */
    OTHER("other", ApiFamily.OLLAMA, Kind.PLAIN),
    /** As {@link #OTHER}, under {@code /v1/}. */
    OTHER_OPENAI("other", ApiFamily.OPENAI, Kind.PLAIN),
    /** As {@link #OTHER}, at {@code /v1/messages} or below. */
    OTHER_ANTHROPIC("other", ApiFamily.ANTHROPIC, Kind.PLAIN);

    private enum Kind {
        INFERENCE,
        ABOUT_MODEL,
        UNHURRIED,
        PLAIN
    }

    private final String label;
    private final ApiFamily family;
    private final Kind kind;

    Endpoint(String label, ApiFamily family, Kind kind) {
        this.label = label;
        this.family = family;
        this.kind = kind;
    }

    /** The route as it stands in metrics and log lines; {@code other} for the unknown. */
    public String label() {
        return label;
    }

    public ApiFamily family() {
        return family;
    }

    /** Whether it generates or embeds: takes a slot, names a model, counts tokens. */
    public boolean inference() {
        return kind == Kind.INFERENCE;
    }

    /** Whether it runs a model or tells of one, so that a backend without that model can only answer 404. */
    public boolean needsModel() {
        return kind == Kind.INFERENCE || kind == Kind.ABOUT_MODEL;
    }

    /** Whether it writes text, and so can be asked for a stream. */
    public boolean generates() {
        return hasOwnEnd() && this != EMBED && this != V1_EMBEDDINGS;
    }

    /** Whether the text of an answer tells by itself that it is whole. */
    public boolean hasOwnEnd() {
        return inference() && this != EMBEDDINGS && this != V1_TRANSCRIPTIONS;
    }

    /** Whether a request may be sent again before the first byte of an answer has reached the client. */
    public boolean replayable() {
        return needsModel();
    }

    /** Whether the body is read whole before a backend is chosen. */
    public boolean retained() {
        return replayable();
    }

    /** Whether {@code limits.request-body} applies; a blob may have any size. */
    public boolean bodyLimited() {
        return this != BLOBS;
    }

    /** Whether it is a route of its own, and not one of the kinds that are relayed as they are. */
    public boolean isKnown() {
        return this != OTHER && this != OTHER_OPENAI && this != OTHER_ANTHROPIC;
    }

    /** Whether it may change which models a backend has. */
    public boolean changesModels() {
        return switch (this) {
            case PULL, PUSH, CREATE, BLOBS, COPY, DELETE -> true;
            default -> false;
        };
    }

    /** Whether a success may change what a backend lists, under whatever name. */
    public boolean changesListing() {
        return switch (this) {
            case PULL, CREATE, COPY, DELETE -> true;
            default -> false;
        };
    }

    /** Whether either side may be silent for longer than any timeout while all is well. */
    public boolean unhurried() {
        return kind == Kind.UNHURRIED;
    }

    /** Whether an answer may be kept and served again, if the request asks for a repeatable one. */
    public boolean cacheable() {
        return inference();
    }
}
