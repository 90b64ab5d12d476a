package io.drover.ollama;

/** Whose protocol a route speaks; it decides the shape of errors and where an answer tells its token counts. */
public enum ApiFamily {
    /** Ollama's own API, and everything that is neither of the others. */
    OLLAMA,
    /** What lies under {@code /v1/}, except the next one. */
    OPENAI,
    /** {@code /v1/messages} and below. */
    ANTHROPIC
}
