package io.drover.cache;

import java.util.Locale;

/** Why a request is not looked up, or its answer not kept. */
public enum Bypass implements Reading {
    /** The endpoint's answers are not kept. */
    ENDPOINT,
    /** The body is no JSON object, or one that a backend might read otherwise. */
    UNPARSABLE,
    /** A field in other than small letters, or twice: which one counts depends on the reader. */
    UNUSUAL_NAMES,
    /** It loads or unloads a model. */
    LOAD,
    /** It asks for the rendered prompt ({@code _debug_render_only}). */
    DEBUG,
    /** It may search the web. */
    WEB_SEARCH,
    /** Each answer may differ, and only those are kept that may not. */
    NOT_DETERMINISTIC,
    /** The body is larger than {@code cache.max-request}, or too many large ones wait to be read. */
    TOO_LARGE,
    /** A backend passes it on to ollama.com. */
    CLOUD,
    /** The client does not want it ({@code Cache-Control: no-store}). */
    CLIENT,
    /** The model or the caller's key is kept out by the configuration. */
    EXCLUDED,
    /** No backend has told the model's digest yet. */
    NO_DIGEST,
    /** Backends have different models, or run different versions, under one name. */
    DIGESTS_DIFFER,
    /** The body has a content coding. */
    CODED;

    private final String label = name().toLowerCase(Locale.ROOT).replace('_', '-');

    /** As it stands in metrics. */
    public String label() {
        return label;
    }
}
