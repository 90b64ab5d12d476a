package io.drover.admission;

import io.drover.config.DroverConfig.Rewrite;
import io.drover.config.DroverConfig.Validation;
import io.drover.ollama.JsonKind;
import io.drover.ollama.JsonVisitor;
import io.drover.ollama.Shape;
import io.drover.ollama.Shape.Role;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A look into one request's body while it arrives: what of it breaks a rule, and where it is to be changed. Keeps the
 * places of a few values and no text; memory follows the nesting, not the length. On the thread that feeds the scanner.
 */
public final class RequestLook implements JsonVisitor {
    /** Reads the body's bytes from one offset to another, as UTF-8. */
    public interface Source {
        String text(long from, long to);
    }

    /** A body that names {@code num_ctx} more often than this is an attack on memory. */
    private static final int MOST_EDITS = 16;

    private static final String NUM_CTX = "options.num_ctx";
    private static final String OPTIONS = "options.";

    private final RequestRules rules;
    private final Shape root;
    private final boolean rewritten;

    private final List<Level> levels = new ArrayList<>();
    private int depth;
    /** Whether the value that is read now is neither object nor array. */
    private boolean scalar;
    /** Of that value; null where it is not known, or the value is no such one. */
    private @Nullable Shape scalarShape;

    private @Nullable SeenValue ending;

    /** The first value of a wrong type. */
    private @Nullable SeenValue wrong;
    /** By path: those of which only the last counts. */
    private final Map<String, SeenValue> last = new LinkedHashMap<>();

    private long images;
    private long messages;

    private final List<BodyEdit> edits = new ArrayList<>(2);
    private long bodyAt = -1;
    private boolean bodyEmpty;
    private long keepAliveAt = -1;
    private long keepAliveEnd;

    /** @param rewritten whether the body may be changed */
    RequestLook(RequestRules rules, Shape root, boolean rewritten) {
        this.rules = rules;
        this.root = root;
        this.rewritten = rewritten;
    }

    // ------------------------------------------------------------------ while it is read

    private Level top() {
        return levels.get(depth - 1);
    }

    @Override
    public boolean wantsName() {
        Shape shape = top().shape;
        return shape != null && shape.hasMembers();
    }

    @Override
    public boolean wantsText() {
        return scalarShape != null && scalarShape.role() == Role.PART_TYPE;
    }

    @Override
    public void onName(@Nullable String name, long at) {
        Level object = top();
        if (object.stripAt >= 0) {
            strip(object.stripAt, at);
            object.stripAt = -1;
        }
        Shape shape = object.shape;
        object.name = name == null || shape == null ? null : shape.known(name);
        object.member = name == null || shape == null ? null : shape.member(name);
        object.memberAt = at;
        object.empty = false;
    }

    @Override
    public void onValue(JsonKind kind, long at) {
        Shape shape = expected();
        if (depth > 0) {
            top().valueAt = at;
        }
        if (shape != null) {
            count(shape, kind);
            note(shape, kind, at);
        }
        Shape fitting = shape != null && shape.accepts(kind) ? shape : null;
        scalar = kind != JsonKind.OBJECT && kind != JsonKind.ARRAY;
        scalarShape = scalar ? fitting : null;
        if (!scalar) {
            ending = null;
            open(fitting, kind == JsonKind.ARRAY, at);
        }
    }

    private @Nullable Shape expected() {
        if (depth == 0) {
            return root;
        }
        Level level = top();
        if (!level.array) {
            return level.member;
        }
        level.index++;
        return level.shape == null ? null : level.shape.element();
    }

    private void count(Shape shape, JsonKind kind) {
        switch (shape.role()) {
            case IMAGE -> images++;
            case MESSAGE -> messages++;
            case OPTIONS -> {
                if (kind == JsonKind.NULL) {
                    last.keySet().removeIf(path -> path.startsWith(OPTIONS));
                }
            }
            default -> {
                Shape element = shape.element();
                if (element != null && element.role() == Role.MESSAGE) {
                    // They come again: the last ones count.
                    messages = 0;
                }
            }
        }
    }

    /** Keeps the place of a value of which more must be known at the end. */
    private void note(Shape shape, JsonKind kind, long at) {
        ending = null;
        if (isLastToCount(shape)) {
            SeenValue value = new SeenValue(path(), shape, kind, at);
            last.put(value.path(), value);
            ending = value;
        } else if (wrong == null && rules.validation().fields()) {
            boolean mayBeBroken = shape.isWhole() && kind == JsonKind.NUMBER;
            if (!shape.accepts(kind)) {
                wrong = new SeenValue(path(), shape, kind, at);
                ending = wrong;
            } else if (mayBeBroken) {
                ending = new SeenValue("", shape, kind, at);
            }
        }
    }

    private boolean isLastToCount(Shape shape) {
        if (shape.role() == Role.ANSWER_BOUND) {
            return true;
        }
        Level level = depth == 0 ? null : top();
        return level != null && !level.array && level.shape != null && level.shape.role() == Role.OPTIONS;
    }

    private void open(@Nullable Shape shape, boolean array, long at) {
        if (depth == levels.size()) {
            levels.add(new Level());
        }
        if (depth == 0 && !array) {
            bodyAt = at;
        }
        levels.get(depth++).begin(shape, array);
    }

    @Override
    public void onText(String text) {
        top().partType = text;
    }

    @Override
    public void onEnd(long end, boolean whole) {
        if (scalar) {
            endScalar(end, whole);
        } else {
            close();
        }
        scalar = false;
        scalarShape = null;
        if (depth > 0 && !top().array) {
            endMember(top(), end);
        }
    }

    private void endScalar(long end, boolean whole) {
        SeenValue value = ending;
        ending = null;
        if (value == null) {
            return;
        }
        value.end(end, whole);
        if (wrong == null && value.path().isEmpty() && value.isWrong()) {
            wrong = value.at(path());
        }
    }

    private void close() {
        Level closed = levels.get(--depth);
        if (closed.stripAt >= 0) {
            strip(closed.stripAt, closed.memberEnd);
        }
        if (closed.isImage()) {
            images++;
        }
        if (depth == 0) {
            bodyEmpty = closed.empty;
        }
    }

    private void endMember(Level object, long end) {
        Role role = object.member == null ? Role.NONE : object.member.role();
        if (rewritten && role == Role.KEEP_ALIVE) {
            keepAliveAt = object.valueAt;
            keepAliveEnd = end;
        }
        if (!rewritten || role != Role.NUM_CTX || !rules.rewrite().stripNumCtx()) {
            object.kept = true;
        } else if (object.kept) {
            // With the comma before it.
            strip(object.memberEnd, end);
        } else {
            // With the comma behind it, if one follows.
            object.stripAt = object.memberAt;
        }
        object.memberEnd = end;
    }

    private void strip(long from, long to) {
        if (edits.size() <= MOST_EDITS) {
            edits.add(new BodyEdit(from, to, ""));
        }
    }

    private String path() {
        StringBuilder path = new StringBuilder();
        for (int i = 0; i < depth; i++) {
            Level level = levels.get(i);
            if (level.array) {
                path.append('[').append(level.index).append(']');
            } else {
                path.append(i == 0 ? "" : ".").append(level.name);
            }
        }
        return path.toString();
    }

    // ------------------------------------------------------------------ when it is whole

    /**
     * Why the request must not be sent; null where it may.
     *
     * @param whole whether all of a JSON value was read
     * @param model as spelled in the request; null where there is none
     */
    public @Nullable Refusal refusal(boolean whole, @Nullable String model, Source body) {
        if (edits.size() > MOST_EDITS) {
            return broken(NUM_CTX + ": more than " + MOST_EDITS + " times (expected: once)");
        }
        Validation validation = rules.validation();
        if (!validation.isOn()) {
            return null;
        }
        if (!whole) {
            return broken("the request's body ends within its JSON, or is empty (expected: a whole object)");
        }
        SeenValue mistyped = mistyped();
        if (mistyped != null) {
            return broken(mistyped.told(body));
        }
        if (rules.needModel() && (model == null || model.isBlank())) {
            return broken("model: missing (expected: the name of a model)");
        }
        if (model != null && !rules.allow(model)) {
            return new Refusal(
                    403,
                    "model \"" + model + "\" is not allowed here (expected: one of " + rules.models()
                            + ", by validation.models)");
        }
        Refusal large = tooLarge(body);
        return large != null ? large : tooMany();
    }

    private @Nullable SeenValue mistyped() {
        if (!rules.validation().fields()) {
            return null;
        }
        SeenValue first = wrong;
        for (SeenValue value : last.values()) {
            if (value.isWrong() && (first == null || value.from() < first.from())) {
                first = value;
            }
        }
        return first;
    }

    private @Nullable Refusal tooLarge(Source body) {
        Validation validation = rules.validation();
        for (SeenValue value : last.values()) {
            if (value.kind() != JsonKind.NUMBER) {
                continue;
            }
            Role role = value.shape().role();
            int most = validation.maxNumCtx();
            if (role == Role.NUM_CTX && most > 0 && value.number(body) > most) {
                return broken(value.told(body, "at most " + most + ", by validation.max-num-ctx"));
            }
            most = validation.maxNumPredict();
            if (role == Role.ANSWER_BOUND && most > 0) {
                long bound = value.number(body);
                // To Ollama 0 and below are no bound.
                if (bound <= 0 || bound > most) {
                    return broken(value.told(body, "from 1 to " + most + ", by validation.max-num-predict"));
                }
            }
        }
        return null;
    }

    private @Nullable Refusal tooMany() {
        int mostImages = rules.validation().maxImages();
        if (mostImages > 0 && images > mostImages) {
            return broken("images: " + images + " (expected: at most " + mostImages + ", by validation.max-images)");
        }
        int mostMessages = rules.validation().maxMessages();
        if (mostMessages > 0 && messages > mostMessages) {
            return broken(
                    "messages: " + messages + " (expected: at most " + mostMessages + ", by validation.max-messages)");
        }
        return null;
    }

    private static Refusal broken(String message) {
        return new Refusal(400, message);
    }

    /** What is to be changed in a body that is whole and not refused, from its start to its end. */
    public List<BodyEdit> edits(Source body) {
        if (!rewritten || bodyAt < 0) {
            return List.of();
        }
        Rewrite rewrite = rules.rewrite();
        List<BodyEdit> all = new ArrayList<>(edits);
        SeenValue numCtx = last.get(NUM_CTX);
        if (!rewrite.stripNumCtx()
                && rewrite.numCtx() > 0
                && numCtx != null
                && numCtx.kind() == JsonKind.NUMBER
                && numCtx.number(body) > rewrite.numCtx()) {
            all.add(new BodyEdit(numCtx.from(), numCtx.to(), Integer.toString(rewrite.numCtx())));
        }
        if (!rewrite.keepAlive().isEmpty()) {
            all.add(keepAlive(rewrite.keepAlive()));
        }
        all.sort(Comparator.comparingLong(BodyEdit::from));
        return all;
    }

    private BodyEdit keepAlive(String duration) {
        // Ollama takes seconds as a number and refuses them as text.
        boolean seconds = Character.isDigit(duration.charAt(duration.length() - 1));
        String value = seconds ? Long.toString(Long.parseLong(duration)) : '"' + duration + '"';
        if (keepAliveAt >= 0) {
            return new BodyEdit(keepAliveAt, keepAliveEnd, value);
        }
        return new BodyEdit(bodyAt + 1, bodyAt + 1, "\"keep_alive\":" + value + (bodyEmpty ? "" : ","));
    }

    /** An object or array that is open; used again for the next one of its depth. */
    private static final class Level {
        private @Nullable Shape shape;
        private boolean array;
        private int index;

        private @Nullable String name;
        private @Nullable Shape member;
        private long memberAt;
        private long valueAt;
        private long memberEnd;
        private boolean empty;

        /** Whether a member stays that stands before the one that is read. */
        private boolean kept;
        /** From where members go, up to the next one or the last one's end; -1: none. */
        private long stripAt;

        private @Nullable String partType;

        void begin(@Nullable Shape known, boolean isArray) {
            shape = known;
            array = isArray;
            index = -1;
            name = null;
            member = null;
            empty = true;
            kept = false;
            stripAt = -1;
            partType = null;
        }

        boolean isImage() {
            String type = partType;
            return type != null
                    && Objects.requireNonNull(shape).role() == Role.PART
                    && (type.equals("image") || type.equals("image_url") || type.equals("input_image"));
        }
    }
}
