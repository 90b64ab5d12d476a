package io.drover.admission;

import io.drover.config.LimitKey;
import io.drover.ollama.ModelName;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Which requests a limit concerns, and whose bucket each of them takes from. Immutable; asking allocates nothing. */
final class Scope {
    private final LimitKey key;
    private final Patterns paths;
    private final ModelPatterns models;
    private final Set<String> keys;

    Scope(LimitKey key, List<String> paths, List<String> models, List<String> keys) {
        this.key = key;
        this.paths = Patterns.of(withRoots(paths));
        this.models = new ModelPatterns(models);
        this.keys = Set.copyOf(keys);
    }

    /** What stands for all below a path stands for the path too: requests for blobs are all known by the label of it. */
    private static List<String> withRoots(List<String> paths) {
        List<String> all = new ArrayList<>(paths);
        for (String path : paths) {
            if (path.length() > 2 && path.endsWith("/*")) {
                all.add(path.substring(0, path.length() - 2));
            }
        }
        return all;
    }

    LimitKey key() {
        return key;
    }

    /** Whether it cannot be told before the model is known. */
    boolean needsModel() {
        return key.by() == LimitKey.By.MODEL || !models.isAll();
    }

    boolean concerns(LimitedRequest request) {
        if (!paths.isAll() && !paths.allow(request.path())) {
            return false;
        }
        if (!keys.isEmpty()) {
            Principal principal = request.principal();
            if (principal == null || !keys.contains(principal.name())) {
                return false;
            }
        }
        ModelName model = request.modelName();
        return !needsModel() || (model != null && models.allow(model));
    }

    /** The key of the bucket that a request takes from which this concerns. */
    String keyOf(LimitedRequest request, Charge charge) {
        return switch (key.by()) {
            case CLIENT_IP -> request.address();
            case API_KEY -> charge.caller(request);
            case MODEL -> {
                ModelName model = request.modelName();
                yield model == null ? "" : BucketKey.of(model.key());
            }
            case HEADER -> {
                String value = request.header(key.header());
                yield value == null ? "" : BucketKey.of(value);
            }
            case ALL -> "";
        };
    }
}
