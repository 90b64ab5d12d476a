package io.drover.demo;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * A model that a simulated Ollama claims to have.
 *
 * @param name as listed, with its tag
 * @param digest 64 hex digits, without {@code sha256:}
 * @param size bytes
 * @param contextLength tokens
 * @param embeddingLength floats of one vector
 * @param capabilities as {@code /api/tags} lists them
 */
public record SimulatedModel(
        String name,
        String digest,
        long size,
        String family,
        String parameterSize,
        String quantization,
        int contextLength,
        int embeddingLength,
        List<String> capabilities) {

    private static final String REGISTRY = "registry.ollama.ai/";
    private static final String LIBRARY = "library/";

    public SimulatedModel {
        capabilities = List.copyOf(capabilities);
    }

    /** A model that writes text; a name without tag gets {@code latest}. The digest follows from the name. */
    public static SimulatedModel named(String name) {
        String full = displayName(name);
        String family = full.substring(full.lastIndexOf('/') + 1, full.lastIndexOf(':'));
        return new SimulatedModel(
                full,
                Digests.sha256(key(full).getBytes(StandardCharsets.UTF_8)),
                2_019_393_189L,
                family.replaceAll("[^a-z]+.*", ""),
                "3.2B",
                "Q4_K_M",
                131_072,
                384,
                List.of("completion", "tools"));
    }

    /** A model that only embeds. */
    public static SimulatedModel embedder(String name) {
        SimulatedModel m = named(name);
        return new SimulatedModel(
                m.name, m.digest, 274_302_450L, m.family, "137M", "F16", 2048, m.embeddingLength, List.of("embedding"));
    }

    /** Another model by the same name, as its author may publish it: its digest follows from the name and the revision. */
    public SimulatedModel revised(String revision) {
        byte[] content = (key(name) + " " + revision).getBytes(StandardCharsets.UTF_8);
        return with(name, Digests.sha256(content));
    }

    SimulatedModel as(String newName) {
        return with(displayName(newName), digest);
    }

    private SimulatedModel with(String newName, String newDigest) {
        return new SimulatedModel(
                newName,
                newDigest,
                size,
                family,
                parameterSize,
                quantization,
                contextLength,
                embeddingLength,
                capabilities);
    }

    boolean generates() {
        return capabilities.contains("completion");
    }

    /** The shortest spelling with its tag, as Ollama lists it. */
    static String displayName(String name) {
        String shown = name.trim();
        if (shown.startsWith(REGISTRY)) {
            shown = shown.substring(REGISTRY.length());
        }
        if (shown.startsWith(LIBRARY)) {
            shown = shown.substring(LIBRARY.length());
        }
        return shown.lastIndexOf(':') > shown.lastIndexOf('/') ? shown : shown + ":latest";
    }

    /** Equal for all spellings of one model. */
    static String key(String name) {
        return displayName(name.trim().toLowerCase(Locale.ROOT));
    }
}
