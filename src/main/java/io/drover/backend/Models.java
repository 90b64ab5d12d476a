package io.drover.backend;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The models of one backend as it last listed them: those on its disk and those in its memory. Immutable, replaced as a
 * whole; asking is one look-up and allocates nothing. Keys are those of {@link io.drover.ollama.ModelName#key}.
 */
public final class Models {
    /** Before the first listing: nothing is known, so nothing is ruled out. */
    public static final Models UNKNOWN = new Models(false, Map.of(), Map.of());

    private final boolean known;
    private final Map<String, String> listed;
    private final Map<String, String> inMemory;
    private final Set<String> loaded;

    private Models(boolean known, Map<String, String> listed, Map<String, String> inMemory) {
        this.known = known;
        this.listed = listed;
        this.inMemory = inMemory;
        this.loaded = loaded(listed, inMemory);
    }

    private static Set<String> loaded(Map<String, String> listed, Map<String, String> inMemory) {
        Set<String> keys = new HashSet<>();
        Set<String> digests = new HashSet<>();
        inMemory.forEach((key, digest) -> {
            String onDisk = listed.getOrDefault(key, "");
            // With another digest it is what had this name before the last pull, and a request would not use it.
            if (onDisk.isEmpty() || digest.isEmpty() || onDisk.equals(digest)) {
                keys.add(key);
            }
            if (!digest.isEmpty()) {
                digests.add(digest);
            }
        });
        if (!digests.isEmpty()) {
            // Copies of a model share its runner; the backend names only the one that loaded it.
            listed.forEach((key, digest) -> {
                if (digests.contains(digest)) {
                    keys.add(key);
                }
            });
        }
        return Set.copyOf(keys);
    }

    /**
     * The same with another listing of the disk.
     *
     * @param digests by routing key, empty where there is none
     */
    public Models withListed(Map<String, String> digests) {
        return known && listed.equals(digests) ? this : new Models(true, Map.copyOf(digests), inMemory);
    }

    /**
     * The same with another listing of the memory.
     *
     * @param digests by routing key, empty where there is none
     */
    public Models withInMemory(Map<String, String> digests) {
        return inMemory.equals(digests) ? this : new Models(known, listed, Map.copyOf(digests));
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
        return loaded.contains(key);
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
        return loaded;
    }

    @Override
    public String toString() {
        return known ? "listed " + listed.keySet() + ", loaded " + loaded : "unknown, loaded " + loaded;
    }
}
