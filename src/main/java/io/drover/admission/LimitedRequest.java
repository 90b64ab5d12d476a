package io.drover.admission;

import io.drover.ollama.ModelName;
import org.jspecify.annotations.Nullable;

/** What limits want to know of a request. Asked on the thread that asks for admission, several times. */
public interface LimitedRequest {
    /** The client's; best the same object for all requests of a connection. */
    String address();

    /** Who asks; null where nobody has proved anything. */
    @Nullable
    Principal principal();

    /** The model asked for; null where none is named, or it is not known yet. */
    @Nullable
    ModelName modelName();

    /** The route's path, as in metrics, of a route that is known; else the request's own. */
    String path();

    /**
     * The value of a header field, of several the first.
     *
     * @param name in lower case
     */
    @Nullable
    String header(String name);

    /** Whether a model runs for it. Limits on tokens and budgets concern no other request. */
    boolean usesTokens();
}
