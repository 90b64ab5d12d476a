package io.drover.ollama;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What may stand at one place of a request's body: the kinds of value, the known members of an object, the elements of
 * an array. What it does not know passes: next year's Ollama has more fields. Immutable.
 */
public final class Shape {
    /** What a value means beyond its kind. */
    public enum Role {
        NONE,
        /** Members of it that come again replace one another, in whatever object; their names match in one case only. */
        OPTIONS,
        NUM_CTX,
        /** Bounds the tokens of the answer. */
        ANSWER_BOUND,
        KEEP_ALIVE,
        /** One message of a conversation. */
        MESSAGE,
        /** One image. */
        IMAGE,
        /** A part of a message, an image if its {@link #PART_TYPE} says so. */
        PART,
        PART_TYPE
    }

    private final Set<JsonKind> kinds;
    private final boolean whole;
    private final Role role;
    private final Map<String, Shape> members;
    private final @Nullable Shape element;

    private Shape(Set<JsonKind> kinds, boolean whole, Role role, Map<String, Shape> members, @Nullable Shape element) {
        this.kinds = kinds;
        this.whole = whole;
        this.role = role;
        this.members = members;
        this.element = element;
    }

    static Shape of(JsonKind first, JsonKind... others) {
        return new Shape(EnumSet.of(first, others), false, Role.NONE, Map.of(), null);
    }

    /** A number without a fraction or exponent: what Go takes for an integer. */
    static Shape ofInteger() {
        return new Shape(EnumSet.of(JsonKind.NUMBER), true, Role.NONE, Map.of(), null);
    }

    static Shape listOf(Shape element) {
        return new Shape(EnumSet.of(JsonKind.ARRAY), false, Role.NONE, Map.of(), element);
    }

    static Shape object() {
        return of(JsonKind.OBJECT);
    }

    /** This object with further members of one shape. */
    Shape with(Shape member, String... names) {
        Map<String, Shape> more = new HashMap<>(members);
        Arrays.stream(names).forEach(name -> more.put(name, member));
        return new Shape(kinds, whole, role, Map.copyOf(more), element);
    }

    Shape as(Role meaning) {
        return new Shape(kinds, whole, meaning, members, element);
    }

    /** This or that; of no kind both. */
    Shape or(Shape other) {
        Set<JsonKind> both = EnumSet.copyOf(kinds);
        both.addAll(other.kinds);
        return new Shape(
                both,
                whole || other.whole,
                role == Role.NONE ? other.role : role,
                members.isEmpty() ? other.members : members,
                element == null ? other.element : element);
    }

    public Role role() {
        return role;
    }

    /** Whether a value of this kind may stand here; null always may: to Go it is as good as nothing. */
    public boolean accepts(JsonKind kind) {
        return kind == JsonKind.NULL || kinds.contains(kind);
    }

    /** Whether a number here must have neither a fraction nor an exponent. */
    public boolean isWhole() {
        return whole;
    }

    public boolean hasMembers() {
        return !members.isEmpty();
    }

    /** The shape of a member; null where the name is none that is known. */
    public @Nullable Shape member(String name) {
        return members.get(known(name));
    }

    /** The name as it stands in Ollama's sources. Within options it counts as it is, elsewhere in any case. */
    public String known(String name) {
        return role == Role.OPTIONS ? name : folded(name);
    }

    /** What an array here holds; null where that is not known. */
    public @Nullable Shape element() {
        return element;
    }

    /** In lower case, as Go's {@code encoding/json} folds: of all Unicode two more letters than ASCII's own. */
    private static String folded(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if ((c >= 'A' && c <= 'Z') || c == '\u017f' || c == '\u212a') {
                return name.codePoints()
                        .map(each -> each == 0x17f
                                ? 's'
                                : each == 0x212a ? 'k' : each >= 'A' && each <= 'Z' ? each + ('a' - 'A') : each)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString();
            }
        }
        return name;
    }

    /** What is expected, for people. */
    @Override
    public String toString() {
        return kinds.stream()
                .map(kind -> whole && kind == JsonKind.NUMBER ? "a whole number" : kind.toString())
                .collect(Collectors.joining(" or "));
    }
}
