package io.drover.admission;

import io.drover.config.LimitKey;
import io.drover.ollama.ModelName;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which requests a limit concerns, and whose bucket each of them takes from. Immutable; asking allocates nothing. */
final class Scope {
    /** What Ollama fills in where a name does not say: patterns are written without it. */
    private static final String USUAL_HOST = "registry.ollama.ai/";

    private static final String USUAL_NAMESPACE = "library/";

    private static final String USUAL_TAG = ":latest";

    /** At the end of a cloud model's key, where its name has {@code -cloud} or {@code :cloud}. */
    private static final String CLOUD_MARK = "@cloud";

    private static final int CLOUD_LENGTH = CLOUD_MARK.length();

    private final LimitKey key;
    private final Patterns paths;
    private final Patterns models;
    private final Set<String> keys;

    Scope(LimitKey key, List<String> paths, List<String> models, List<String> keys) {
        this.key = key;
        this.paths = Patterns.of(withRoots(paths));
        this.models = Patterns.of(withClouds(models));
        this.keys = Set.copyOf(keys);
    }

    /** In lower case; one for a cloud model also as such a model's key ends. */
    private static List<String> withClouds(List<String> models) {
        List<String> all = new ArrayList<>();
        for (String model : models) {
            String pattern = model.toLowerCase(Locale.ROOT);
            all.add(pattern);
            String start = pattern.substring(0, Math.max(0, pattern.length() - CLOUD_LENGTH));
            if (pattern.endsWith("-cloud")) {
                all.add(start + CLOUD_MARK);
            } else if (pattern.endsWith(":cloud")) {
                all.add(start + USUAL_TAG + CLOUD_MARK);
            }
        }
        return all;
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
        return !needsModel() || concerns(request.modelName());
    }

    /** By the name that all spellings share: another spelling must be no way around a limit. */
    private boolean concerns(@Nullable ModelName model) {
        if (model == null) {
            return false;
        }
        String name = model.key();
        int from = name.startsWith(USUAL_HOST) ? USUAL_HOST.length() : 0;
        if (from > 0 && name.startsWith(USUAL_NAMESPACE, from)) {
            from += USUAL_NAMESPACE.length();
        }
        return models.allow(name, from, name.length())
                || (name.endsWith(USUAL_TAG) && models.allow(name, from, name.length() - USUAL_TAG.length()));
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
