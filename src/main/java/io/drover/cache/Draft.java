package io.drover.cache;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** JSON that is put together of values as they stand elsewhere, byte for byte. */
final class Draft {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(512);

    Draft text(String json) {
        out.writeBytes(json.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    /** @throws UnfitAnswerException if the value has a line's end in it, which would end a line or an event too */
    Draft raw(Slice value) throws UnfitAnswerException {
        for (int i = value.from(); i < value.to(); i++) {
            if (value.text()[i] == '\n' || value.text()[i] == '\r') {
                throw new UnfitAnswerException("JSON of several lines");
            }
        }
        out.write(value.text(), value.from(), value.length());
        return this;
    }

    Draft raw(Draft json) {
        out.writeBytes(json.toBytes());
        return this;
    }

    /** A member behind others; nothing where there is no value. */
    Draft member(String name, @Nullable Slice value) throws UnfitAnswerException {
        return value == null ? this : text(",\"" + name + "\":").raw(value);
    }

    /** Those of the members that are there, behind others. */
    Draft members(Members from, Iterable<String> names) throws UnfitAnswerException {
        for (String name : names) {
            member(name, from.get(name));
        }
        return this;
    }

    /** A string of what was joined, behind other members. */
    Draft stringMember(String name, Draft joined) {
        return text(",\"" + name + "\":\"").raw(joined).text("\"");
    }

    /** An array of what was joined, behind other members; nothing where that is nothing. */
    Draft arrayMember(String name, Draft joined) {
        return joined.isEmpty() ? this : text(",\"" + name + "\":[").raw(joined).text("]");
    }

    /** Joins what a string says: its text stays escaped as it is. */
    Draft join(@Nullable Slice string) throws UnfitAnswerException {
        return string == null ? this : raw(string.inside());
    }

    /** Joins the elements of an array. */
    Draft joinElements(@Nullable Slice array) throws UnfitAnswerException {
        if (array == null || array.isEmpty()) {
            return this;
        }
        return (isEmpty() ? this : text(",")).raw(array.inside());
    }

    /** A string that says the given text. */
    Draft quoted(String plain) {
        out.write('"');
        out.writeBytes(JsonStringEncoder.getInstance().quoteAsUTF8(plain));
        out.write('"');
        return this;
    }

    boolean isEmpty() {
        return out.size() == 0;
    }

    byte[] toBytes() {
        return out.toByteArray();
    }
}
