package io.drover.admission;

import io.drover.ollama.ModelName;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Patterns of models by the name that all spellings share: another spelling must be no way around a rule. Immutable;
 * asking allocates nothing.
 */
public final class ModelPatterns {
    /** What Ollama fills in where a name does not say: patterns are written without it. */
    private static final String USUAL_HOST = "registry.ollama.ai/";

    private static final String USUAL_NAMESPACE = "library/";

    private static final String USUAL_TAG = ":latest";

    /** At the end of a cloud model's key, where its name has {@code -cloud} or {@code :cloud}. */
    private static final String CLOUD_MARK = "@cloud";

    private static final int CLOUD_LENGTH = CLOUD_MARK.length();

    private final Patterns patterns;

    /** @param models none: all */
    public ModelPatterns(List<String> models) {
        patterns = Patterns.of(withClouds(models));
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

    /** Whether every model is meant. */
    public boolean isAll() {
        return patterns.isAll();
    }

    /** Whether this one is meant. */
    public boolean allow(ModelName model) {
        String name = model.key();
        int from = name.startsWith(USUAL_HOST) ? USUAL_HOST.length() : 0;
        if (from > 0 && name.startsWith(USUAL_NAMESPACE, from)) {
            from += USUAL_NAMESPACE.length();
        }
        return patterns.allow(name, from, name.length())
                || (name.endsWith(USUAL_TAG) && patterns.allow(name, from, name.length() - USUAL_TAG.length()));
    }
}
