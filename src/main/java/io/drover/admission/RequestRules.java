package io.drover.admission;

import io.drover.config.DroverConfig.Rewrite;
import io.drover.config.DroverConfig.Validation;
import io.drover.ollama.Endpoint;
import io.drover.ollama.RequestShapes;
import io.drover.ollama.Shape;
import org.jspecify.annotations.Nullable;

/** What requests' bodies must keep to, and what is changed in them ({@code docs/validation.md}). Immutable. */
public final class RequestRules {
    private final Validation validation;
    private final Rewrite rewrite;
    private final Patterns models;
    private final boolean on;

    public RequestRules(Validation validation, Rewrite rewrite) {
        this.validation = validation;
        this.rewrite = rewrite;
        this.models = Patterns.of(validation.models());
        this.on = validation.isOn() || rewrite.isOn();
    }

    /** A look into a body to come; null where nothing is asked of one to this endpoint. */
    public @Nullable RequestLook look(Endpoint endpoint) {
        Shape body = on ? RequestShapes.of(endpoint) : null;
        if (body == null) {
            return null;
        }
        boolean rewritten = rewrite.isOn() && isRewritten(endpoint);
        return validation.isOn() || rewritten ? new RequestLook(this, body, rewritten) : null;
    }

    /** The only ones with these fields. */
    private static boolean isRewritten(Endpoint endpoint) {
        return switch (endpoint) {
            case GENERATE, CHAT, EMBED, EMBEDDINGS -> true;
            default -> false;
        };
    }

    Validation validation() {
        return validation;
    }

    Rewrite rewrite() {
        return rewrite;
    }

    /** Whether a model must be named. */
    boolean needModel() {
        return validation.fields() || !models.isAll();
    }

    /** By the name as it was asked for, or by its other form with or without the tag {@code latest}. */
    boolean allow(String model) {
        String latest = ":latest";
        boolean tagged = model.lastIndexOf(':') > model.lastIndexOf('/');
        return models.allow(model)
                || (!tagged && models.allow(model + latest))
                || (model.endsWith(latest) && models.allow(model.substring(0, model.length() - latest.length())));
    }

    Patterns models() {
        return models;
    }
}
