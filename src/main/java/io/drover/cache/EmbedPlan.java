package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Which vectors of a request are kept, which a backend is asked for, and how both become one answer. Immutable; any thread.
 */
public final class EmbedPlan {
    private final EmbedQuestion question;
    private final Map<CacheKey, EmbedPart> kept;
    /** Places of the inputs that a backend is asked for. */
    private final int[] asked;
    /** Inputs without a kept vector, duplicates among them. */
    private final int missing;

    EmbedPlan(EmbedQuestion question, Map<CacheKey, EmbedPart> found) {
        this.question = question;
        this.kept = usable(question, found);
        List<CacheKey> keys = question.keys();
        Set<CacheKey> distinct = new HashSet<>();
        keys.stream().filter(key -> !kept.containsKey(key)).forEach(distinct::add);
        // A backend counts the tokens of all that it is asked. What stands there twice and is asked once leaves the sum
        // unknown, but for a single input; OpenAI's form needs the sum.
        boolean once = question.endpoint() == Endpoint.EMBED || distinct.size() == 1;
        int[] places = new int[keys.size()];
        int count = 0;
        int without = 0;
        for (int i = 0; i < places.length; i++) {
            if (!kept.containsKey(keys.get(i))) {
                without++;
                if (!once || distinct.remove(keys.get(i))) {
                    places[count++] = i;
                }
            }
        }
        this.asked = Arrays.copyOf(places, count);
        this.missing = without;
    }

    /** All of it is asked for, as the request stands. */
    EmbedPlan(EmbedQuestion question) {
        this.question = question;
        this.kept = Map.of();
        this.asked = IntStream.range(0, question.size()).toArray();
        this.missing = asked.length;
    }

    /** Without those that lack a count where an answer must have one: they are computed again, and counted then. */
    private static Map<CacheKey, EmbedPart> usable(EmbedQuestion question, Map<CacheKey, EmbedPart> found) {
        Map<CacheKey, EmbedPart> usable = new HashMap<>(found);
        if (question.endpoint() == Endpoint.V1_EMBEDDINGS) {
            usable.values().removeIf(part -> !part.hasTokens());
        }
        return usable;
    }

    /** How many inputs a backend is asked for. */
    public int asked() {
        return asked.length;
    }

    /** Whether no backend is asked. */
    public boolean isComplete() {
        return asked.length == 0;
    }

    /** Whether a backend is asked all of it: the request can go as it is, and the answer come as it is. */
    public boolean isWhole() {
        return asked.length == question.size();
    }

    /**
     * What stands in place of {@link EmbedQuestion#from} to {@link EmbedQuestion#to} in the request to the backend: a JSON
     * array, in ASCII.
     */
    public String input() {
        return question.inputOf(asked);
    }

    /**
     * The vectors that were asked for, by their keys: what is to be kept.
     *
     * @param told has {@link #asked} vectors
     */
    public Map<CacheKey, EmbedPart> fresh(EmbedAnswer told) {
        Map<CacheKey, EmbedPart> fresh = new LinkedHashMap<>();
        for (int i = 0; i < asked.length; i++) {
            fresh.put(question.keys().get(asked[i]), told.parts().get(i));
        }
        return fresh;
    }

    /**
     * The answer to the client, as Ollama writes it.
     *
     * @param told has {@link #asked} vectors; null if none were asked for
     * @param nanos how long it took, where no backend says it; 0 is left out
     * @return null where the form needs a count of tokens that nobody knows
     */
    public byte @Nullable [] join(@Nullable EmbedAnswer told, long nanos) {
        int vectors = told == null ? 0 : told.parts().size();
        if (vectors != asked.length) {
            throw new IllegalArgumentException(vectors + " vectors (expected: " + asked.length + ")");
        }
        Map<CacheKey, EmbedPart> parts = parts(told);
        long tokens = tokens(told);
        if (question.endpoint() == Endpoint.EMBED) {
            return ollamas(
                    parts, tokens, told == null ? nanos : told.totalNanos(), told == null ? 0 : told.loadNanos());
        }
        return tokens < 0 ? null : openAis(parts, tokens);
    }

    private Map<CacheKey, EmbedPart> parts(@Nullable EmbedAnswer told) {
        Map<CacheKey, EmbedPart> parts = new HashMap<>(kept);
        if (told != null) {
            parts.putAll(fresh(told));
        }
        return parts;
    }

    /** What the vectors take in the answer to the client; parameters as for {@link #join}. */
    long vectorBytes(@Nullable EmbedAnswer told) {
        Map<CacheKey, EmbedPart> parts = parts(told);
        return question.keys().stream()
                .mapToLong(key -> partOf(parts, key).length())
                .sum();
    }

    /** Of all inputs together; negative where they are not known. */
    private long tokens(@Nullable EmbedAnswer told) {
        long sum = 0;
        for (CacheKey key : question.keys()) {
            EmbedPart part = kept.get(key);
            if (part != null && !part.hasTokens()) {
                return EmbedPart.UNKNOWN;
            }
            sum += part == null ? 0 : part.tokens();
        }
        if (told == null || isComplete()) {
            return sum;
        }
        boolean isCounted = told.tokens() >= 0 && (asked.length == 1 || asked.length == missing);
        return isCounted ? sum + told.tokens() * (missing / asked.length) : EmbedPart.UNKNOWN;
    }

    private byte[] ollamas(Map<CacheKey, EmbedPart> parts, long tokens, long totalNanos, long loadNanos) {
        StringBuilder head = new StringBuilder("{\"model\":");
        StrictJson.quote(head, question.model());
        head.append(",\"embeddings\":");
        StringBuilder tail = new StringBuilder("]");
        // Go leaves out what is 0.
        appendIfSet(tail, ",\"total_duration\":", totalNanos);
        appendIfSet(tail, ",\"load_duration\":", loadNanos);
        appendIfSet(tail, ",\"prompt_eval_count\":", tokens);
        tail.append('}');
        ByteArrayOutputStream out = new ByteArrayOutputStream(capacity(parts, head.length() + tail.length(), 1));
        write(out, head);
        char before = '[';
        for (CacheKey key : question.keys()) {
            out.write(before);
            partOf(parts, key).writeTo(out);
            before = ',';
        }
        write(out, tail);
        return out.toByteArray();
    }

    private byte[] openAis(Map<CacheKey, EmbedPart> parts, long tokens) {
        String element = "{\"object\":\"embedding\",\"embedding\":";
        StringBuilder tail = new StringBuilder("],\"model\":");
        StrictJson.quote(tail, question.model());
        usage(tail, tokens);
        // Behind this one, but not behind Ollama's own, Go writes a line feed.
        tail.append("}\n");
        ByteArrayOutputStream out = new ByteArrayOutputStream(
                capacity(parts, tail.length(), element.length() + ",\"index\":12345},".length()));
        write(out, "{\"object\":\"list\",\"data\":[");
        for (int i = 0; i < question.size(); i++) {
            write(out, i == 0 ? element : "," + element);
            partOf(parts, question.keys().get(i)).writeTo(out);
            write(out, ",\"index\":" + i + "}");
        }
        write(out, tail);
        return out.toByteArray();
    }

    static void usage(StringBuilder out, long tokens) {
        out.append(",\"usage\":{\"prompt_tokens\":")
                .append(tokens)
                .append(",\"total_tokens\":")
                .append(tokens)
                .append('}');
    }

    private static void appendIfSet(StringBuilder out, String name, long value) {
        if (value > 0) {
            out.append(name).append(value);
        }
    }

    private int capacity(Map<CacheKey, EmbedPart> parts, int frame, int each) {
        return question.keys().stream()
                .mapToInt(key -> partOf(parts, key).length() + each)
                .reduce(frame, Math::addExact);
    }

    private static EmbedPart partOf(Map<CacheKey, EmbedPart> parts, CacheKey key) {
        EmbedPart part = parts.get(key);
        if (part == null) {
            throw new IllegalStateException("no vector for an input");
        }
        return part;
    }

    private static void write(ByteArrayOutputStream out, CharSequence ascii) {
        out.writeBytes(ascii.toString().getBytes(StandardCharsets.US_ASCII));
    }
}
