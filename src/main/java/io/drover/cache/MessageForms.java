package io.drover.cache;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tells answers of {@code /v1/messages} in the other form. */
final class MessageForms {
    private static final Set<String> MESSAGE = Set.of("id", "type", "role", "model", "content", "stop_reason", "usage");
    private static final Set<String> STOP = Set.of("stop_reason");
    private static final String TEXT = "text";
    private static final String THINKING = "thinking";
    private static final String TOOL_USE = "tool_use";

    /** Of an answer in one piece. */
    private static final List<String> ORDER = List.of(THINKING, TEXT, TOOL_USE);

    private MessageForms() {}

    static byte[] whole(byte[] stream) throws UnfitAnswerException {
        List<Members> events = Streams.events(stream, false);
        Members message = events.get(0).object("message");
        message.only(MESSAGE);
        Draft content = new Draft();
        Block open = null;
        int blocks = 0;
        int order = 0;
        Members delta = null;
        for (Members event : events.subList(1, events.size() - 1)) {
            String type = JsonText.string(event.string("type"));
            if (delta != null
                    || (open == null) != (type.equals("content_block_start") || type.equals("message_delta"))) {
                throw new UnfitAnswerException(type + ": not in its place");
            }
            if (type.equals("message_delta")) {
                delta = event;
                continue;
            }
            if (event.count("index") != blocks) {
                throw new UnfitAnswerException("index: not of the open block");
            }
            if (open == null) {
                open = new Block(event.object("content_block"));
                order = open.behind(order);
            } else if (type.equals("content_block_delta")) {
                open.add(event.object("delta"));
            } else if (type.equals("content_block_stop")) {
                open.writeTo(content);
                open = null;
                blocks++;
            } else {
                throw new UnfitAnswerException(type + ": unknown");
            }
        }
        if (delta == null || blocks == 0) {
            throw new UnfitAnswerException("no message_delta, or no content");
        }
        return message(message, content, delta);
    }

    private static byte[] message(Members start, Draft content, Members delta) throws UnfitAnswerException {
        Members stop = delta.object("delta");
        stop.only(STOP);
        Draft out = new Draft().text("{\"id\":").raw(start.string("id"));
        out.members(start, List.of("type", "role", "model"))
                .text(",\"content\":[")
                .raw(content)
                .text("]");
        out.member("stop_reason", stop.string("stop_reason")).member("usage", delta.required("usage"));
        return out.text("}\n").toBytes();
    }

    /** One block of content while its deltas come. */
    private static final class Block {
        private static final Set<String> OF_TEXT = Set.of("type", TEXT);
        private static final Set<String> OF_THINKING = Set.of("type", THINKING);
        private static final Set<String> OF_TOOL = Set.of("type", "id", "name", "input");

        private final Members start;
        private final String type;
        private final Draft said = new Draft();

        Block(Members start) throws UnfitAnswerException {
            this.start = start;
            this.type = JsonText.string(start.string("type"));
            start.only(type.equals(TEXT) ? OF_TEXT : type.equals(THINKING) ? OF_THINKING : OF_TOOL);
            if (type.equals(TOOL_USE)) {
                JsonText.members(start.required("input"));
            } else {
                said.join(start.string(type));
            }
        }

        /** One object has thinking before text before calls, and at most one of the first two. */
        int behind(int order) throws UnfitAnswerException {
            int place = ORDER.indexOf(type);
            if (place < order) {
                throw new UnfitAnswerException(type + ": not in the order of an answer in one piece");
            }
            return type.equals(TOOL_USE) ? place : place + 1;
        }

        void add(Members delta) throws UnfitAnswerException {
            String kind = JsonText.string(delta.string("type"));
            boolean input = type.equals(TOOL_USE);
            String member = input ? "partial_json" : type;
            if (!kind.equals(input ? "input_json_delta" : type + "_delta")) {
                throw new UnfitAnswerException(kind + ": in a block of " + type);
            }
            delta.only(Set.of("type", member));
            // Go leaves out what is empty.
            said.join(delta.optionalString(member));
        }

        void writeTo(Draft content) throws UnfitAnswerException {
            content.text(content.isEmpty() ? "{\"type\":\"" : ",{\"type\":\"")
                    .text(type)
                    .text("\"");
            if (!type.equals(TOOL_USE)) {
                content.stringMember(type, said).text("}");
                return;
            }
            content.member("id", start.string("id")).member("name", start.string("name"));
            content.member("input", said.isEmpty() ? start.required("input") : input(said))
                    .text("}");
        }

        private static Slice input(Draft said) throws UnfitAnswerException {
            Slice json = Slice.of(new Draft().text("\"").raw(said).text("\"").toBytes());
            Slice input = Slice.of(JsonText.string(json).getBytes(StandardCharsets.UTF_8));
            JsonText.members(input);
            return input;
        }
    }

    static byte[] stream(byte[] whole) throws UnfitAnswerException {
        Members answer = JsonText.members(Slice.of(whole));
        answer.only(MESSAGE);
        Members usage = answer.object("usage");
        Draft out = new Draft();
        begin(out, "message_start").text(",\"message\":{\"id\":").raw(answer.string("id"));
        out.members(answer, List.of("type", "role", "model")).text(",\"content\":[],\"usage\":{\"input_tokens\":");
        out.raw(usage.number("input_tokens")).text(",\"output_tokens\":0}}}\n\n");
        int index = 0;
        for (Slice block : JsonText.elements(answer.array("content"))) {
            block(out, new Block(JsonText.members(block)), index);
            index++;
        }
        begin(out, "message_delta").text(",\"delta\":{\"stop_reason\":").raw(answer.string("stop_reason"));
        out.text("}").member("usage", answer.required("usage")).text("}\n\n");
        return begin(out, "message_stop").text("}\n\n").toBytes();
    }

    private static void block(Draft out, Block block, int index) throws UnfitAnswerException {
        begin(out, "content_block_start").text(",\"index\":" + index + ",\"content_block\":{\"type\":\"" + block.type);
        boolean tool = block.type.equals(TOOL_USE);
        Slice said = tool ? null : block.start.string(block.type);
        if (tool) {
            out.text("\"").member("id", block.start.string("id")).member("name", block.start.string("name"));
            out.text(",\"input\":{}}}\n\n");
        } else {
            out.text("\",\"" + block.type + "\":\"\"}}\n\n");
        }
        begin(out, "content_block_delta").text(",\"index\":" + index + ",\"delta\":{\"type\":\"");
        delta(out, block, said).text("}}\n\n");
        begin(out, "content_block_stop").text(",\"index\":" + index + "}\n\n");
    }

    private static Draft delta(Draft out, Block block, @Nullable Slice said) throws UnfitAnswerException {
        if (said != null) {
            return out.text(block.type + "_delta\"").member(block.type, said);
        }
        return out.text("input_json_delta\",\"partial_json\":")
                .quoted(block.start.required("input").toString());
    }

    /** Up to the type, which is its name too. */
    private static Draft begin(Draft out, String type) {
        return out.text("event: " + type + "\ndata: {\"type\":\"" + type + "\"");
    }
}
