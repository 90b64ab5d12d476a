package io.drover.admission;

import io.drover.ollama.ModelName;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request of a test; what is not said is as in most requests. */
final class Asked implements LimitedRequest {
    private String address = "192.0.2.1";
    private String path = "/api/chat";
    private @Nullable Principal principal;
    private @Nullable ModelName model;
    private boolean usesTokens = true;
    private final Map<String, String> headers = new HashMap<>();

    static Asked from(String address) {
        Asked asked = new Asked();
        asked.address = address;
        return asked;
    }

    static Asked by(String name) {
        return by(Principal.named(name));
    }

    static Asked by(Principal principal) {
        Asked asked = new Asked();
        asked.principal = principal;
        return asked;
    }

    static Asked of(String model) {
        Asked asked = new Asked();
        asked.model = ModelName.of(model);
        return asked;
    }

    Asked at(String other) {
        path = other;
        return this;
    }

    Asked with(String header, String value) {
        headers.put(header, value);
        return this;
    }

    Asked model(String name) {
        model = ModelName.of(name);
        return this;
    }

    Asked withoutTokens() {
        usesTokens = false;
        return this;
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public @Nullable Principal principal() {
        return principal;
    }

    @Override
    public @Nullable ModelName modelName() {
        return model;
    }

    @Override
    public String path() {
        return path;
    }

    @Override
    public @Nullable String header(String name) {
        return headers.get(name);
    }

    @Override
    public boolean usesTokens() {
        return usesTokens;
    }
}
