package io.drover.config;

import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The keys that exist, taken from {@code reference.conf}; finds those that do not and the nearest that does. */
final class KnownKeys {
    static final String ENTRY = "drover.backends[]";
    private static final String BACKENDS = "drover.backends";

    /** Each key in full, and whether an object belongs there. */
    private final Map<String, Boolean> keys = new TreeMap<>();

    KnownKeys(ConfigObject defaults, ConfigObject entryDefaults) {
        collect("", defaults);
        collect(ENTRY, entryDefaults);
    }

    private void collect(String parent, ConfigObject object) {
        for (Map.Entry<String, ConfigValue> child : object.entrySet()) {
            String key = join(parent, child.getKey());
            keys.put(key, child.getValue() instanceof ConfigObject);
            if (child.getValue() instanceof ConfigObject below) {
                collect(key, below);
            }
        }
    }

    /** The keys that have a value and an environment variable. */
    Set<String> settings() {
        Set<String> settings = new TreeSet<>();
        keys.forEach((key, isObject) -> {
            if (!isObject && !key.startsWith(ENTRY)) {
                settings.add(key);
            }
        });
        return settings;
    }

    /**
     * Reports each key of {@code values}, and of the objects in it, that {@code known} lacks.
     *
     * @param parent the key under which {@code values} stands, empty for the root
     */
    void check(String parent, ConfigObject values, ConfigObject known, Findings findings) {
        for (Map.Entry<String, ConfigValue> child : values.entrySet()) {
            String key = join(parent, child.getKey());
            ConfigValue value = child.getValue();
            ConfigValue expected = known.get(child.getKey());
            if (expected == null) {
                // The value is not printed: it may be a secret whose key has a slip.
                findings.problem(
                        key,
                        value.origin(),
                        "unknown key",
                        "a known key; the nearest is " + nearest(key, value instanceof ConfigObject));
            } else if (value instanceof ConfigObject object && expected instanceof ConfigObject below) {
                check(key, object, below, findings);
            } else if (value instanceof ConfigList list && expected instanceof ConfigObject below) {
                checkList(key, list, below, findings);
            }
        }
    }

    private void checkList(String key, ConfigList list, ConfigObject below, Findings findings) {
        for (int i = 0; i < list.size(); i++) {
            if (list.get(i) instanceof ConfigObject object) {
                check(key + "[" + i + "]", object, below, findings);
            }
        }
    }

    /** The key most likely meant: a slip in the last name, or the right name in the wrong place. */
    private String nearest(String key, boolean isObject) {
        String pattern =
                key.startsWith(BACKENDS) ? key.replaceAll("\\[[0-9]+\\]", "[]") : key.replaceAll("\\[[0-9]+\\]", "");
        String nearest = keys.entrySet().stream()
                .filter(known -> known.getValue() == isObject || known.getKey().equals(BACKENDS))
                .map(Map.Entry::getKey)
                .min(Comparator.comparingInt((String known) -> slip(pattern, known))
                        .thenComparingInt(known -> distance(pattern, known))
                        .thenComparing(Comparator.naturalOrder()))
                .orElseThrow();
        return parent(nearest).equals(parent(pattern)) ? join(parent(key), name(nearest)) : nearest;
    }

    private static int slip(String key, String known) {
        return 2 * distance(name(key), name(known)) + (parent(key).equals(parent(known)) ? 0 : 1);
    }

    private static String join(String parent, String name) {
        return parent.isEmpty() ? name : parent + "." + name;
    }

    private static String name(String key) {
        return key.substring(key.lastIndexOf('.') + 1);
    }

    private static String parent(String key) {
        return key.substring(0, Math.max(0, key.lastIndexOf('.')));
    }

    /** How many letters were added, left out, changed, or swapped with the next (optimal string alignment). */
    static int distance(String left, String right) {
        List<int[]> rows = new ArrayList<>();
        for (int i = 0; i <= left.length(); i++) {
            int[] row = new int[right.length() + 1];
            rows.add(row);
            for (int j = 0; j <= right.length(); j++) {
                if (i == 0 || j == 0) {
                    row[j] = i + j;
                    continue;
                }
                int[] above = rows.get(i - 1);
                int change = left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j - 1], above[j]) + 1, above[j - 1] + change);
                if (i > 1
                        && j > 1
                        && left.charAt(i - 1) == right.charAt(j - 2)
                        && left.charAt(i - 2) == right.charAt(j - 1)) {
                    row[j] = Math.min(row[j], rows.get(i - 2)[j - 2] + 1);
                }
            }
        }
        return rows.get(left.length())[right.length()];
    }
}
