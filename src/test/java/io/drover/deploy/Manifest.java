package io.drover.deploy;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.StreamSupport;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** One object of Kubernetes', or a part of one, as a file of YAML says it. */
record Manifest(JsonObject json) {
    private static final Gson GSON = new Gson();

    /** All objects of a file. */
    static List<Manifest> parse(String yaml) {
        Iterable<Object> documents = new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(yaml);
        return StreamSupport.stream(documents.spliterator(), false)
                .filter(Map.class::isInstance)
                .map(each -> new Manifest(GSON.toJsonTree(each).getAsJsonObject()))
                .toList();
    }

    String kind() {
        return text("kind");
    }

    String name() {
        return text("metadata.name");
    }

    /** Everything at a path such as {@code spec.containers.ports.name}; of a list that is what each of its entries has there. */
    List<JsonElement> all(String path) {
        List<JsonElement> found = List.of(json);
        for (String field : path.split("\\.")) {
            found = found.stream()
                    .flatMap(each -> entries(each).stream())
                    .filter(each ->
                            each.isJsonObject() && each.getAsJsonObject().has(field))
                    .map(each -> each.getAsJsonObject().get(field))
                    .toList();
        }
        return found.stream().flatMap(each -> entries(each).stream()).toList();
    }

    private static List<JsonElement> entries(JsonElement element) {
        if (!element.isJsonArray()) {
            return List.of(element);
        }
        JsonArray array = element.getAsJsonArray();
        List<JsonElement> entries = new ArrayList<>(array.size());
        array.forEach(entries::add);
        return entries;
    }

    List<String> texts(String path) {
        return all(path).stream().map(JsonElement::getAsString).toList();
    }

    /** The only text there. */
    String text(String path) {
        List<String> all = texts(path);
        if (all.size() != 1) {
            throw new AssertionError(path + ": " + all + " (expected: one value) in " + json);
        }
        return all.get(0);
    }

    List<Manifest> parts(String path) {
        return all(path).stream()
                .map(each -> new Manifest(each.getAsJsonObject()))
                .toList();
    }

    boolean has(String path) {
        return !all(path).isEmpty();
    }

    /** The fields of an object, such as labels or the data of a ConfigMap; none if it is not there. */
    Map<String, String> fields(String path) {
        Map<String, String> fields = new TreeMap<>();
        all(path).forEach(object -> object.getAsJsonObject()
                .entrySet()
                .forEach(field -> fields.put(field.getKey(), field.getValue().getAsString())));
        return fields;
    }

    /** What its pods are like; itself for all that makes no pods. */
    Manifest pod() {
        return has("spec.template.spec") ? parts("spec.template").get(0) : this;
    }

    @Override
    public String toString() {
        return has("kind") && has("metadata.name") ? kind() + " " + name() : json.toString();
    }
}
