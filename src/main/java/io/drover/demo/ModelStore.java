package io.drover.demo;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The models and blobs on a simulated server's disk, and the registry that it pulls from. Safe for any thread. */
final class ModelStore {
    /** @param modified when it was pulled, created or copied */
    record Stored(SimulatedModel model, Instant modified) {}

    private final Stamp stamp;
    private final Map<String, Stored> models = new LinkedHashMap<>();
    private final Map<String, SimulatedModel> published = new ConcurrentHashMap<>();
    private final Set<String> blobs = ConcurrentHashMap.newKeySet();

    ModelStore(Collection<SimulatedModel> models, Stamp stamp) {
        this.stamp = stamp;
        Instant modified = stamp.now().minusSeconds(3600);
        for (SimulatedModel model : models) {
            this.models.put(SimulatedModel.key(model.name()), new Stored(model, modified));
            modified = modified.minusSeconds(1);
        }
    }

    synchronized @Nullable Stored find(String name) {
        return models.get(SimulatedModel.key(name));
    }

    @Nullable
    SimulatedModel model(String name) {
        Stored stored = find(name);
        return stored == null ? null : stored.model();
    }

    synchronized void add(SimulatedModel model) {
        models.put(SimulatedModel.key(model.name()), new Stored(model, stamp.now()));
    }

    synchronized boolean delete(String name) {
        return models.remove(SimulatedModel.key(name)) != null;
    }

    /** Newest first, as Ollama lists them. */
    synchronized List<Stored> list() {
        List<Stored> all = new ArrayList<>(models.values());
        all.sort(Comparator.comparing(Stored::modified).reversed());
        return all;
    }

    /** The name of the first model, empty if there is none. */
    synchronized String first() {
        return models.isEmpty() ? "" : models.values().iterator().next().model().name();
    }

    /** The registry has this under its name from now on. */
    void publish(SimulatedModel model) {
        published.put(SimulatedModel.key(model.name()), model);
    }

    /** What the registry has under a name: what was published last, or else what follows from the name. */
    SimulatedModel registered(String name) {
        SimulatedModel model = published.get(SimulatedModel.key(name));
        return model == null ? SimulatedModel.named(name) : model;
    }

    /** @param digest with {@code sha256:} */
    boolean hasBlob(String digest) {
        return blobs.contains(digest);
    }

    void addBlob(String digest) {
        blobs.add(digest);
    }
}
