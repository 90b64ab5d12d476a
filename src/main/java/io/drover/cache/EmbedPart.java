package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The vector of one input: a piece of the answer in which it came, byte for byte. Immutable as long as nobody writes to
 * that answer, which it keeps in memory; any thread.
 */
public final class EmbedPart {
    /** In place of a count that is not known. */
    static final long UNKNOWN = -1;

    private static final String MODEL = "{\"model\":";
    private static final String VECTOR = ",\"embeddings\":[";
    private static final String COUNT = ",\"prompt_eval_count\":";
    /** Digits of a count that is believed without a closer look. */
    private static final int MAX_DIGITS = 9;

    private final byte[] answer;
    private final int from;
    private final int to;
    private final long tokens;

    /**
     * @param from where the vector begins, with its bracket or quote
     * @param to behind it
     * @param tokens of the input; {@link #UNKNOWN} where it came with others
     */
    EmbedPart(byte[] answer, int from, int to, long tokens) {
        this.answer = answer;
        this.from = from;
        this.to = to;
        this.tokens = tokens;
    }

    /**
     * What {@link #entry} kept.
     *
     * @return null where it is no answer to one input
     */
    public static @Nullable EmbedPart of(CachedAnswer entry) {
        return read(entry.endpoint(), entry.body());
    }

    /** @param body kept */
    static @Nullable EmbedPart read(Endpoint endpoint, byte[] body) {
        EmbedPart written = endpoint == Endpoint.EMBED ? readWritten(body) : null;
        if (written != null) {
            return written;
        }
        EmbedAnswer any = EmbedAnswer.split(endpoint, body, 1);
        return any == null ? null : any.parts().get(0);
    }

    /** Tokens of the input; negative where they are not known. */
    long tokens() {
        return tokens;
    }

    boolean hasTokens() {
        return tokens >= 0;
    }

    /**
     * What is kept of it: a whole answer to this input alone, as the endpoint gives it, but without a count that is not
     * known. {@code /v1/embeddings} finds its numbers in the form of {@code /api/embed}. Reads all of it again.
     *
     * @param model as the request spells it
     * @return null where it cannot be kept
     */
    public @Nullable CachedAnswer entry(String model, Origin origin) {
        Endpoint endpoint = isNumbers() ? Endpoint.EMBED : Endpoint.V1_EMBEDDINGS;
        return CachedAnswer.of(endpoint, Form.WHOLE, ContentTypes.of(endpoint, Form.WHOLE), alone(model), origin);
    }

    private byte[] alone(String model) {
        StringBuilder head = new StringBuilder();
        StringBuilder tail = new StringBuilder();
        if (isNumbers()) {
            head.append(MODEL);
            StrictJson.quote(head, model);
            head.append(VECTOR);
            tail.append(']');
            if (tokens > 0) {
                tail.append(COUNT).append(tokens);
            }
            tail.append('}');
        } else {
            head.append("{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"embedding\":");
            tail.append(",\"index\":0}],\"model\":");
            StrictJson.quote(tail, model);
            if (hasTokens()) {
                EmbedPlan.usage(tail, tokens);
            }
            tail.append("}\n");
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(head.length() + length() + tail.length());
        out.writeBytes(head.toString().getBytes(StandardCharsets.US_ASCII));
        writeTo(out);
        out.writeBytes(tail.toString().getBytes(StandardCharsets.US_ASCII));
        return out.toByteArray();
    }

    /** Bytes of the vector as text. */
    int length() {
        return to - from;
    }

    void writeTo(ByteArrayOutputStream out) {
        out.write(answer, from, length());
    }

    /** And not base64. */
    private boolean isNumbers() {
        return answer[from] == '[';
    }

    /**
     * Reads what {@link #alone} wrote without a look at each number: a request may have thousands of inputs, with thousands
     * of numbers each.
     */
    private static @Nullable EmbedPart readWritten(byte[] body) {
        if (!has(body, 0, MODEL + '"')) {
            return null;
        }
        int at = MODEL.length() + 1;
        while (at < body.length && body[at] != '"' && body[at] != '\\') {
            at++;
        }
        if (!has(body, at + 1, VECTOR + '[')) {
            return null;
        }
        int from = at + 1 + VECTOR.length();
        int to = from;
        while (to < body.length && body[to] != ']') {
            to++;
        }
        if (has(body, to, "]]}") && to + 3 == body.length) {
            return new EmbedPart(body, from, to + 1, UNKNOWN);
        }
        if (!has(body, to, "]]" + COUNT)) {
            return null;
        }
        long tokens = digits(body, to + 2 + COUNT.length());
        return tokens < 0 ? null : new EmbedPart(body, from, to + 1, tokens);
    }

    /** The number that fills the body up to its last brace; negative if there is something else. */
    private static long digits(byte[] body, int from) {
        int last = body.length - 1;
        if (last - from < 1 || last - from > MAX_DIGITS || body[last] != '}') {
            return UNKNOWN;
        }
        long number = 0;
        for (int i = from; i < last; i++) {
            if (body[i] < '0' || body[i] > '9') {
                return UNKNOWN;
            }
            number = 10 * number + body[i] - '0';
        }
        return number;
    }

    private static boolean has(byte[] body, int at, String ascii) {
        if (body.length - at < ascii.length()) {
            return false;
        }
        for (int i = 0; i < ascii.length(); i++) {
            if (body[at + i] != ascii.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
