package io.drover.cache;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The members of one JSON object, their values unread. What is not as expected makes the answer unfit. */
final class Members {
    private final Slice object;
    private final Map<String, Slice> members;

    /** @param members in their order; becomes its own */
    Members(Slice object, Map<String, Slice> members) {
        this.object = object;
        this.members = members;
    }

    /** The value of a member, whatever it is; null where there is none. */
    @Nullable
    Slice get(String name) {
        return members.get(name);
    }

    boolean has(String name) {
        return members.containsKey(name);
    }

    /** The value of a member that must be there, whatever it is. */
    Slice required(String name) throws UnfitAnswerException {
        Slice value = members.get(name);
        if (value == null) {
            throw new UnfitAnswerException(name + ": missing");
        }
        return value;
    }

    /** The value of a member; null where it is absent or {@code null}. */
    @Nullable
    Slice present(String name) {
        Slice value = members.get(name);
        return value == null || value.isNull() ? null : value;
    }

    Slice string(String name) throws UnfitAnswerException {
        Slice value = required(name);
        return expect(value.isString(), name, "a string", value);
    }

    @Nullable
    Slice optionalString(String name) throws UnfitAnswerException {
        return present(name) == null ? null : string(name);
    }

    Slice array(String name) throws UnfitAnswerException {
        Slice value = required(name);
        return expect(value.isArray(), name, "an array", value);
    }

    @Nullable
    Slice optionalArray(String name) throws UnfitAnswerException {
        return present(name) == null ? null : array(name);
    }

    Members object(String name) throws UnfitAnswerException {
        return JsonText.members(required(name));
    }

    Slice number(String name) throws UnfitAnswerException {
        Slice value = required(name);
        return expect(value.isNumber(), name, "a number", value);
    }

    /** Whether a member is {@code true}. */
    boolean isTrue(String name) {
        Slice value = members.get(name);
        return value != null && value.isTrue();
    }

    /** Whether a member is a string that says this. */
    boolean says(String name, String ascii) {
        Slice value = members.get(name);
        return value != null && value.says(ascii);
    }

    /** A whole number that is not negative; -1 where there is none. */
    long count(String name) {
        Slice value = members.get(name);
        return value == null ? -1 : value.count();
    }

    /** What the two count together; what is left out is zero, -1 where both are. */
    long sum(String one, String other) {
        long a = count(one);
        long b = count(other);
        return a < 0 && b < 0 ? -1 : Math.max(0, a) + Math.max(0, b);
    }

    /** Checks that there is nothing in it but these. */
    void only(Set<String> known) throws UnfitAnswerException {
        for (String name : members.keySet()) {
            if (!known.contains(name)) {
                throw new UnfitAnswerException(name + ": unknown");
            }
        }
    }

    /** Checks that a member has the same bytes in both. */
    void same(String name, Members other) throws UnfitAnswerException {
        if (!required(name).isSameAs(other.required(name))) {
            throw new UnfitAnswerException(name + ": not the same throughout");
        }
    }

    /** The object without one of its members, all else as it stands. */
    Slice without(String name) throws UnfitAnswerException {
        Slice cut = members.get(name);
        if (cut == null) {
            return object;
        }
        int before = -1;
        for (Slice member : members.values()) {
            before = member.to() < cut.from() ? Math.max(before, member.to()) : before;
        }
        if (before < 0) {
            throw new UnfitAnswerException(name + ": first (expected: behind others)");
        }
        byte[] kept = new byte[object.length() - (cut.to() - before)];
        System.arraycopy(object.text(), object.from(), kept, 0, before - object.from());
        System.arraycopy(object.text(), cut.to(), kept, before - object.from(), object.to() - cut.to());
        return Slice.of(kept);
    }

    private static Slice expect(boolean met, String name, String expected, Slice value) throws UnfitAnswerException {
        if (!met) {
            throw new UnfitAnswerException(
                    name + ": a value of " + value.length() + " bytes (expected: " + expected + ")");
        }
        return value;
    }
}
