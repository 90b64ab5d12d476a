package io.drover.ollama;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The whole lines of a streamed answer so far: how many there are, and a hash of what they say, so that another answer
 * can be told to say the same. What differs in each answer is left out of it: times, durations, ids. Holds one line,
 * whatever the answer's length. Belongs to one exchange, used on its event loop.
 */
public final class AnswerLines {
    private static final JsonFactory JSON = JsonFactory.builder()
            // Names may come from a tool's arguments, and interned ones would stay.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    private static final byte[] DATA = "data:".getBytes(StandardCharsets.US_ASCII);

    /** Members of a line's object that say when and how it was made. Counts of a prompt's tokens follow from caches. */
    private static final Set<String> INCIDENTAL = Set.of(
            "created_at",
            "total_duration",
            "load_duration",
            "prompt_eval_count",
            "prompt_eval_duration",
            "eval_duration",
            "id",
            "created",
            "system_fingerprint",
            "usage");

    /** Those of them that are the same throughout one answer; OpenAI's library begins a new answer at a new id. */
    private static final Set<String> STEADY = Set.of("id", "created");

    private final int longest;
    private final MessageDigest sha256;
    private final Map<String, byte[]> steady = new HashMap<>(4);
    private byte[] hash = {};
    private long count;
    private byte[] line = new byte[512];
    private int length;
    private boolean lost;
    private boolean repeated;

    /** A value within the line that is incidental. */
    private record Value(String name, boolean top, int from, int to) {
        boolean isSteady() {
            return top && STEADY.contains(name);
        }
    }

    /** @param longest most bytes of a line that is held; a longer one, and all behind it, is passed on unread */
    public AnswerLines(int longest) {
        this.longest = longest;
        try {
            this.sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256, which every JDK has", e);
        }
    }

    /**
     * Reads on, at most to the end of one line.
     *
     * @param buf is only read
     * @param out gets the line once it is whole, as the client is to see it; null: nobody does
     * @return index behind what was read
     */
    public int read(ByteBuf buf, int from, int to, @Nullable ByteBuf out) {
        int newline = buf.indexOf(from, to, (byte) '\n');
        int end = newline < 0 ? to : newline + 1;
        int size = end - from;
        if (lost || size > longest - length) {
            lost = true;
            writeRest(out);
            if (out != null) {
                out.writeBytes(buf, from, size);
            }
            return end;
        }
        if (length + size > line.length) {
            line = Arrays.copyOf(line, Math.max(2 * line.length, length + size));
        }
        buf.getBytes(from, line, length, size);
        length += size;
        if (newline >= 0) {
            endLine(out);
        }
        return end;
    }

    /** Adds what there is of a line without an end: the answer has ended with it. */
    public void writeRest(@Nullable ByteBuf out) {
        if (out != null) {
            out.writeBytes(line, 0, length);
        }
        length = 0;
    }

    /**
     * The answer has broken off: what there is of a line is forgotten. What is read from now on is another answer's, which
     * goes on with the ids of this one.
     */
    public void onBroken() {
        length = 0;
        repeated = true;
    }

    /** Number of whole lines. */
    public long count() {
        return count;
    }

    /** Whether a line was too long to be held, so that nothing is known of the answer any more. */
    public boolean isLost() {
        return lost;
    }

    /** Whether both have as many lines, which say the same. */
    public boolean saysTheSame(AnswerLines other) {
        return !lost && !other.lost && count == other.count && Arrays.equals(hash, other.hash);
    }

    private void endLine(@Nullable ByteBuf out) {
        int hashed = 0;
        int written = 0;
        sha256.update(hash);
        for (Value value : incidentals()) {
            sha256.update(line, hashed, value.from() - hashed);
            hashed = value.to();
            if (!value.isSteady()) {
                continue;
            }
            byte[] first =
                    steady.computeIfAbsent(value.name(), name -> Arrays.copyOfRange(line, value.from(), value.to()));
            if (repeated && out != null) {
                out.writeBytes(line, written, value.from() - written).writeBytes(first);
                written = value.to();
            }
        }
        sha256.update(line, hashed, length - hashed);
        hash = sha256.digest();
        if (out != null) {
            out.writeBytes(line, written, length - written);
        }
        count++;
        length = 0;
    }

    /** In their order; none in a line that is no object, and up to the fault in one that is malformed. */
    private List<Value> incidentals() {
        int start = Arrays.equals(line, 0, Math.min(length, DATA.length), DATA, 0, DATA.length) ? DATA.length : 0;
        List<Value> found = new ArrayList<>();
        try (JsonParser json = JSON.createParser(line, start, length - start)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return found;
            }
            for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
                if (token == JsonToken.FIELD_NAME && isIncidental(json)) {
                    String name = json.currentName();
                    boolean top = json.getParsingContext().getParent().inRoot();
                    json.nextToken();
                    int from = start + (int) json.currentTokenLocation().getByteOffset();
                    json.skipChildren();
                    json.finishToken();
                    found.add(new Value(
                            name,
                            top,
                            from,
                            start + (int) json.currentLocation().getByteOffset()));
                }
            }
        } catch (IOException malformed) {
            return found;
        }
        return found;
    }

    /** Whether the member at whose name the parser stands is incidental; the ids of tool calls are random too. */
    private static boolean isIncidental(JsonParser json) throws IOException {
        String name = json.currentName();
        JsonStreamContext outer = json.getParsingContext().getParent();
        if (outer.inRoot()) {
            return INCIDENTAL.contains(name);
        }
        return name.equals("id")
                && outer.inArray()
                && "tool_calls".equals(outer.getParent().getCurrentName());
    }
}
