package io.drover.backend;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The models of one backend as it last listed them: those on its disk and those in its memory. Immutable, replaced as a
 * whole; asking is one look-up and allocates nothing. Keys are those of {@link io.drover.ollama.ModelName#key}.
 */
public final class Models {
    /** Before the first listing: nothing is known, so nothing is ruled out. */
    public static final Models UNKNOWN = new Models(false, Map.of(), Map.of(), Map.of());

    private final boolean known;
    private final Map<String, String> listed;
    private final Map<String, String> inMemory;
    private final Map<String, Integer> lengths;
    /** Of the loaded ones the context length, 0 where it is not told. */
    private final Map<String, Integer> loaded;

    private Models(
            boolean known, Map<String, String> listed, Map<String, String> inMemory, Map<String, Integer> lengths) {
        this.known = known;
        this.listed = listed;
        this.inMemory = inMemory;
        this.lengths = lengths;
        this.loaded = loaded(listed, inMemory, lengths);
    }

    private static Map<String, Integer> loaded(
            Map<String, String> listed, Map<String, String> inMemory, Map<String, Integer> lengths) {
        Map<String, Integer> keys = new HashMap<>();
        Map<String, Integer> digests = new HashMap<>();
        inMemory.forEach((key, digest) -> {
            String onDisk = listed.getOrDefault(key, "");
            int length = lengths.getOrDefault(key, 0);
            // With another digest it is what had this name before the last pull, and a request would not use it.
            if (onDisk.isEmpty() || digest.isEmpty() || onDisk.equals(digest)) {
                keys.put(key, length);
            }
            if (!digest.isEmpty()) {
                digests.merge(digest, length, Models::shorter);
            }
        });
        if (!digests.isEmpty()) {
            // Copies of a model share its runner; the backend names only the one that loaded it.
            listed.forEach((key, digest) -> {
                Integer length = digests.get(digest);
                if (length != null) {
                    keys.merge(key, length, Models::shorter);
                }
            });
        }
        return Map.copyOf(keys);
    }

    /** The shorter one of two context lengths, where 0 is none. */
    static int shorter(int one, int other) {
        return one == 0 || other == 0 ? one + other : Math.min(one, other);
    }

    /**
     * The same with another listing of the disk.
     *
     * @param digests by routing key, empty where there is none
     */
    public Models withListed(Map<String, String> digests) {
        return known && listed.equals(digests) ? this : new Models(true, Map.copyOf(digests), inMemory, lengths);
    }

    /** As {@link #withInMemory(Map, Map)}, of a backend that tells no context lengths. */
    public Models withInMemory(Map<String, String> digests) {
        return withInMemory(digests, Map.of());
    }

    /**
     * The same with another listing of the memory.
     *
     * @param digests by routing key, empty where there is none
     * @param contextLengths by routing key, in tokens, where they are told
     */
    public Models withInMemory(Map<String, String> digests, Map<String, Integer> contextLengths) {
        return inMemory.equals(digests) && lengths.equals(contextLengths)
                ? this
                : new Models(known, listed, Map.copyOf(digests), Map.copyOf(contextLengths));
    }

    /** Tells of each model of this listing of the disk whose digest is another one in {@code next}, or is there no more. */
    void tellChanges(Models next, ModelObserver observer) {
        if (listed != next.listed) {
            listed.forEach((key, digest) -> {
                if (!digest.isEmpty() && !digest.equals(next.listed.get(key))) {
                    observer.onChange(key, digest, next.digest(key));
                }
            });
        }
    }

    /** Whether the disk was ever listed. */
    public boolean isKnown() {
        return known;
    }

    /** Whether the model is on the disk; false of everything while nothing is known. */
    public boolean lists(String key) {
        return listed.containsKey(key);
    }

    /** Whether a request for the model may be sent here: it is on the disk, or nothing is known. */
    public boolean mayHave(String key) {
        return !known || lists(key);
    }

    /**
     * Whether a request for the model finds it in memory, be it under the name of a copy. That it is not says little: a
     * model made from the same weights shares the runner too, and cannot be told from here.
     */
    public boolean isLoaded(String key) {
        return loaded.containsKey(key);
    }

    /** With how many tokens the model is loaded, be it under the name of a copy; 0 where it is not, or nobody knows. */
    public int contextLength(String key) {
        return loaded.getOrDefault(key, 0);
    }

    /** The model's digest as the backend tells it; null where the model or its digest is not listed. */
    public @Nullable String digest(String key) {
        String digest = listed.get(key);
        return digest == null || digest.isEmpty() ? null : digest;
    }

    /** The keys of the models on the disk. */
    public Set<String> listed() {
        return listed.keySet();
    }

    /** The keys of the models in memory, copies included. */
    public Set<String> loaded() {
        return loaded.keySet();
    }

    @Override
    public String toString() {
        return known
                ? "listed " + listed.keySet() + ", loaded " + loaded.keySet()
                : "unknown, loaded " + loaded.keySet();
    }
}
