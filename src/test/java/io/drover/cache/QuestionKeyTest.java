package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.Endpoint;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What makes another key and what does not: the fields one by one, and random requests against a slow model. */
class QuestionKeyTest {
    private static final Asked ASKED = new Asked("d1", "0.32.15", "t1");

    /** A number as it is spelled. */
    private record Spelled(String text) {}

    /** JSON of several spellings, which all say the same. */
    private static final class Speller {
        private final @Nullable Random random;
        private final StringBuilder out = new StringBuilder();

        private Speller(@Nullable Random random) {
            this.random = random;
        }

        /** In one way only; the order of names stays. */
        static String plain(@Nullable Object value) {
            Speller speller = new Speller(null);
            speller.write(value, List.of("x"));
            return speller.out.toString();
        }

        /** In any way. */
        static String any(Map<String, Object> request, Random random) {
            Speller speller = new Speller(random);
            speller.write(request, List.of());
            return speller.out.toString();
        }

        private void write(@Nullable Object value, List<String> path) {
            space();
            if (value instanceof Map<?, ?> object) {
                List<Map.Entry<?, ?>> members = new ArrayList<>(object.entrySet());
                if (random != null && isFree(path)) {
                    Collections.shuffle(members, random);
                }
                out.append('{');
                String comma = "";
                for (Map.Entry<?, ?> member : members) {
                    out.append(comma);
                    comma = ",";
                    space();
                    string((String) member.getKey());
                    space();
                    out.append(':');
                    write(member.getValue(), below(path, (String) member.getKey()));
                }
                out.append('}');
            } else if (value instanceof List<?> list) {
                out.append('[');
                String comma = "";
                for (Object element : list) {
                    out.append(comma);
                    comma = ",";
                    write(element, below(path, "[]"));
                }
                out.append(']');
            } else if (value instanceof String text) {
                string(text);
            } else {
                out.append(value instanceof Spelled number ? number.text() : String.valueOf(value));
            }
            space();
        }

        static boolean isFree(List<String> path) {
            return path.isEmpty()
                    || path.equals(List.of("options"))
                    || path.equals(List.of("stream_options"))
                    || path.equals(List.of("messages", "[]"));
        }

        private static List<String> below(List<String> path, String name) {
            List<String> longer = new ArrayList<>(path);
            longer.add(name);
            return longer;
        }

        private void space() {
            if (random != null) {
                out.append(" ".repeat(random.nextInt(2))).append(random.nextInt(8) == 0 ? "\n\t\r" : "");
            }
        }

        private void string(String text) {
            out.append('"');
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                boolean must = c < ' ' || c == '"' || c == '\\' || Character.isSurrogate(c);
                if (must || (random != null && random.nextInt(4) == 0)) {
                    String hex = String.format("%04x", (int) c);
                    out.append("\\u")
                            .append(random != null && random.nextBoolean() ? hex.toUpperCase(Locale.ROOT) : hex);
                } else {
                    out.append(c);
                }
            }
            out.append('"');
        }
    }

    /** A request with much in it, and for each field other values that ask for something else. */
    private record Case(Endpoint endpoint, String request, List<String> others) {
        @Override
        public String toString() {
            return endpoint.name();
        }
    }

    static List<Case> cases() {
        List<String> generating = List.of(
                "'model':'M'",
                "'model':'m:latest'",
                "'think':false",
                "'think':true",
                "'think':'high'",
                "'truncate':false",
                "'shift':false",
                "'logprobs':true",
                "'top_logprobs':3",
                "'format':'json'",
                "'format':null",
                "'format':{'type':'object','properties':{'a':{},'b':{}}}",
                "'format':{'type':'object','properties':{'b':{},'a':{}}}",
                "'unknown':1",
                "'unknown':null",
                "'options':null",
                "'options':{'seed':2}",
                "'options':{'seed':1}",
                "'options':{'seed':1,'num_ctx':8}",
                "'options':{'seed':1,'num_ctx':16}",
                "'options':{'seed':1,'num_predict':8}",
                "'options':{'seed':1,'stop':['a','b']}",
                "'options':{'seed':1,'stop':['b','a']}",
                "'options':{'seed':1,'stop':['ab']}",
                "'options':{'seed':1,'temperature':0}",
                "'options':{'seed':1,'temperature':0.5}",
                "'options':{'seed':1,'top_k':1}",
                "'options':{'seed':1,'top_p':1}",
                "'options':{'seed':1,'use_mmap':true}",
                "'options':{'seed':'1'}",
                "'temperature':1");
        List<String> openAi = List.of(
                "'model':'M'",
                "'max_tokens':5",
                "'max_tokens':6",
                "'max_completion_tokens':5",
                "'seed':1",
                "'seed':2",
                "'stop':'a'",
                "'stop':['a']",
                "'temperature':0",
                "'temperature':1",
                "'top_p':0.5",
                "'frequency_penalty':0.5",
                "'presence_penalty':0.5",
                "'logprobs':true",
                "'n':2",
                "'stream_options':{'x':1}");
        return List.of(
                new Case(
                        Endpoint.GENERATE,
                        "'model':'m','prompt':'p','options':{'seed':3}",
                        with(
                                generating,
                                List.of(
                                        "'prompt':'q'",
                                        "'prompt':'p '",
                                        "'prompt':['p']",
                                        "'suffix':'s'",
                                        "'system':'s'",
                                        "'template':'s'",
                                        "'raw':true",
                                        "'context':[1,2]",
                                        "'context':[2,1]",
                                        "'context':[12]",
                                        "'images':['a','b']",
                                        "'images':['b','a']",
                                        "'images':['ab']"))),
                new Case(
                        Endpoint.CHAT,
                        "'model':'m','messages':[{'role':'user','content':'c'}],'options':{'seed':3}",
                        with(with(generating, messages()), tools())),
                new Case(
                        Endpoint.EMBED,
                        "'model':'m','input':'i'",
                        List.of(
                                "'model':'M'",
                                "'input':'j'",
                                "'input':['i','j']",
                                "'input':['j','i']",
                                "'input':['ij']",
                                "'input':['i','']",
                                "'input':[['i']]",
                                "'truncate':false",
                                "'dimensions':3",
                                "'options':{'num_ctx':8}",
                                "'unknown':1")),
                new Case(
                        Endpoint.EMBEDDINGS,
                        "'model':'m','prompt':'p'",
                        List.of("'model':'M'", "'prompt':'q'", "'options':{'num_ctx':8}", "'unknown':1")),
                new Case(
                        Endpoint.V1_CHAT_COMPLETIONS,
                        "'model':'m','messages':[{'role':'user','content':'c'}]",
                        with(
                                with(with(openAi, messages()), tools()),
                                List.of(
                                        "'messages':[{'role':'user','content':[{'type':'text','text':'c'}]}]",
                                        "'messages':[{'role':'user','content':null,'tool_calls':[{'id':'1'}]}]",
                                        "'messages':[{'role':'user','content':'c','name':'n'}]",
                                        "'response_format':{'type':'json_object'}",
                                        "'response_format':{'type':'json_schema','json_schema':{'schema':{'a':1,'b':2}}}",
                                        "'response_format':{'type':'json_schema','json_schema':{'schema':{'b':2,'a':1}}}",
                                        "'reasoning':{'effort':'low'}",
                                        "'reasoning_effort':'low'",
                                        "'reasoning_effort':'high'",
                                        "'top_logprobs':2",
                                        "'tool_choice':'none'"))),
                new Case(
                        Endpoint.V1_COMPLETIONS,
                        "'model':'m','prompt':'p'",
                        with(openAi, List.of("'prompt':'q'", "'suffix':'s'", "'logprobs':2"))),
                new Case(
                        Endpoint.V1_EMBEDDINGS,
                        "'model':'m','input':'i'",
                        List.of(
                                "'model':'M'",
                                "'input':['i','j']",
                                "'input':[1,2]",
                                "'dimensions':3",
                                "'encoding_format':'base64'",
                                "'encoding_format':'float'",
                                "'unknown':1")),
                new Case(
                        Endpoint.V1_RESPONSES,
                        "'model':'m','input':'i'",
                        with(
                                tools(),
                                List.of(
                                        "'model':'M'",
                                        "'input':'j'",
                                        "'input':[{'role':'user','content':'i'}]",
                                        "'input':[{'type':'message','role':'user','content':'i'}]",
                                        "'input':[{'type':'function_call_output','call_id':'1','output':'i'}]",
                                        "'instructions':'s'",
                                        "'max_output_tokens':5",
                                        "'reasoning':{'effort':'low'}",
                                        "'temperature':0",
                                        "'top_p':0.5",
                                        "'truncation':'auto'",
                                        "'metadata':{'a':'b'}",
                                        "'user':'u'",
                                        "'previous_response_id':'r'",
                                        "'conversation':null",
                                        "'text':{'format':{'type':'json_schema','schema':{'a':1,'b':2}}}",
                                        "'text':{'format':{'type':'json_schema','schema':{'b':2,'a':1}}}"))),
                new Case(
                        Endpoint.V1_MESSAGES,
                        "'model':'m','max_tokens':9,'messages':[{'role':'user','content':'c'}]",
                        with(
                                with(messages(), tools()),
                                List.of(
                                        "'model':'M'",
                                        "'max_tokens':8",
                                        "'messages':[{'role':'user','content':[{'type':'text','text':'c'}]}]",
                                        "'system':'s'",
                                        "'system':[{'type':'text','text':'s'}]",
                                        "'temperature':0",
                                        "'top_p':0.5",
                                        "'top_k':1",
                                        "'stop_sequences':['a']",
                                        "'tool_choice':{'type':'none'}",
                                        "'thinking':{'type':'enabled','budget_tokens':5}",
                                        "'thinking':{'type':'disabled'}",
                                        "'output_config':{'effort':'low'}",
                                        "'unknown':1"))));
    }

    private static List<String> messages() {
        return List.of(
                "'messages':[{'role':'user','content':'d'}]",
                "'messages':[{'role':'system','content':'c'}]",
                "'messages':[{'role':'user','content':'c'},{'role':'user','content':'c'}]",
                "'messages':[{'role':'user','content':'c'},{'role':'assistant','content':'d'}]",
                "'messages':[{'role':'assistant','content':'d'},{'role':'user','content':'c'}]",
                "'messages':[{'role':'user','content':'c','thinking':'t'}]",
                "'messages':[{'role':'user','content':'c','images':['a']}]",
                "'messages':[{'role':'user','content':'c','tool_name':'t'}]",
                "'messages':[{'role':'user','content':'c','tool_call_id':'t'}]",
                "'messages':[{'role':'user','content':'c','tool_calls':[{'function':{'arguments':{'a':1,'b':2}}}]}]",
                "'messages':[{'role':'user','content':'c','tool_calls':[{'function':{'arguments':{'b':2,'a':1}}}]}]",
                "'messages':[{'role':'user','content':'c','tool_calls':[{'function':{'arguments':{'b':2,'a':1.0}}}]}]",
                "'messages':[{'role':'user','content':'c'},null]",
                "'messages':[[{'role':'user','content':'c'}]]");
    }

    private static List<String> tools() {
        return List.of(
                "'tools':[]",
                "'tools':[{'type':'function','function':{'name':'f','parameters':{'properties':{'a':{},'b':{}}}}}]",
                "'tools':[{'type':'function','function':{'name':'f','parameters':{'properties':{'b':{},'a':{}}}}}]",
                "'tools':[{'type':'function','function':{'name':'g'}},{'type':'function','function':{'name':'h'}}]",
                "'tools':[{'type':'function','function':{'name':'h'}},{'type':'function','function':{'name':'g'}}]");
    }

    private static List<String> with(List<String> some, List<String> more) {
        List<String> all = new ArrayList<>(some);
        all.addAll(more);
        return all;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void eachFieldThatDecidesTheAnswerMakesAnotherKey(Case one) {
        Map<CacheKey, String> keys = new HashMap<>();
        keys.put(key(one.endpoint(), "{" + one.request() + "}"), one.request());
        for (String other : one.others()) {
            String body = "{" + instead(one.request(), other) + "}";
            assertThat(keys.put(key(one.endpoint(), body), other)).as(body).isNull();
        }
        assertThat(keys).hasSize(one.others().size() + 1);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whoAnswersAndForWhomMakesAnotherKey(Case one) {
        List<Asked> others = List.of(
                ASKED,
                new Asked("d2", "0.32.15", "t1"),
                new Asked("d1", "0.32.16", "t1"),
                new Asked("d1", "0.32.15", "t2"),
                new Asked("d1", "0.32.15", ""),
                new Asked("d10", ".32.15", "t1"),
                new Asked("d1", "0.32.15t", "1"),
                new Asked("", "", "d10.32.15t1"));
        assertThat(others.stream().map(asked -> question(one.endpoint(), "{" + one.request() + "}", asked)
                        .key()))
                .doesNotHaveDuplicates();
    }

    @Test
    void theSameBodyAtAnotherEndpointIsAnotherKey() {
        String body = "{'model':'m','prompt':'a','input':'a','messages':[{'role':'user','content':'a'}]}";
        assertThat(cases().stream().map(one -> key(one.endpoint(), body))).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void nullIsAsGoodAsAbsentWhereGoTakesItSo(Case one) {
        CacheKey key = key(one.endpoint(), "{" + one.request() + "}");
        fields(one.endpoint()).forEach((name, meaning) -> {
            if (!one.request().contains("'" + name + "'")) {
                assertThat(key(one.endpoint(), "{" + one.request() + ",'" + name + "':null}"))
                        .as(name)
                        .isEqualTo(key);
            }
        });
    }

    @Test
    void whatDecidesNothingIsNotInTheKey() {
        assertSame(Endpoint.GENERATE, "'prompt':'p'", "'keep_alive':0", "'keep_alive':'5m'", "'stream':false");
        assertSame(Endpoint.GENERATE, "'prompt':'p'", "'options':{}", "'options':{'seed':null}");
        assertSame(Endpoint.GENERATE, "'prompt':'p'", "'_debug_render_only':false");
        assertSame(Endpoint.EMBED, "'input':'i'", "'keep_alive':{'a':[1]}");
        assertSame(Endpoint.V1_CHAT_COMPLETIONS, "'messages':[{'content':'c'}]", "'user':'u'", "'metadata':{'a':'b'}");
        assertSame(Endpoint.V1_CHAT_COMPLETIONS, "'messages':[{'content':'c'}]", "'store':true", "'stream':true");
        assertSame(
                Endpoint.V1_COMPLETIONS,
                "'prompt':'p'",
                "'stream_options':{}",
                "'stream_options':{'include_usage':true}",
                "'stream_options':{'x':null}");
        assertSame(Endpoint.V1_RESPONSES, "'input':'i'", "'stream':true");
        assertSame(Endpoint.V1_MESSAGES, "'messages':[{'content':'c'}]", "'metadata':{'user_id':'u'}", "'stream':true");
    }

    private static void assertSame(Endpoint endpoint, String request, String... more) {
        CacheKey key = key(endpoint, "{" + request + "}");
        for (String fields : more) {
            assertThat(key(endpoint, "{" + request + "," + fields + "}"))
                    .as(fields)
                    .isEqualTo(key);
        }
    }

    @Test
    void numbersThatGoReadsAsFloatsCountByTheirValue() {
        List<String> ones = List.of("1", "1.0", "1e0", "10e-1", "1.000", "0.1E+1");
        for (String one : ones) {
            assertThat(key(
                            Endpoint.GENERATE,
                            "{'prompt':'p','options':{'temperature':" + one + ",'num_ctx':" + one + "}}"))
                    .isEqualTo(key(Endpoint.GENERATE, "{'prompt':'p','options':{'temperature':1,'num_ctx':1}}"));
            assertThat(key(Endpoint.V1_COMPLETIONS, "{'prompt':'p','temperature':" + one + ",'top_p':" + one + "}"))
                    .isEqualTo(key(Endpoint.V1_COMPLETIONS, "{'prompt':'p','temperature':1,'top_p':1}"));
        }
        assertThat(key(Endpoint.V1_COMPLETIONS, "{'prompt':'p','seed':1.0}"))
                .isNotEqualTo(key(Endpoint.V1_COMPLETIONS, "{'prompt':'p','seed':1}"));
        // Both are the same double; rounded at once, as a float32, they might not be.
        assertThat(key(Endpoint.V1_COMPLETIONS, "{'prompt':'p','top_p':0.1000000000000000055}"))
                .isNotEqualTo(key(Endpoint.V1_COMPLETIONS, "{'prompt':'p','top_p':0.1}"));
        assertThat(key(Endpoint.GENERATE, "{'prompt':'p','options':{'seed':1e999}}"))
                .isNotEqualTo(key(Endpoint.GENERATE, "{'prompt':'p','options':{'seed':2e999}}"));
    }

    @ParameterizedTest
    @EnumSource(names = {"EMBED", "V1_EMBEDDINGS"})
    void oneTextToEmbedIsTheSameAsAListOfIt(Endpoint endpoint) {
        String longText = "a".repeat(10_000);
        assertThat(key(endpoint, "{'input':'a'}")).isEqualTo(key(endpoint, "{'input':['a']}"));
        assertThat(key(endpoint, "{'input':'" + longText + "'}"))
                .isEqualTo(key(endpoint, "{'input':['" + longText + "']}"));
    }

    @Test
    void longTextsDifferInAnyPlace() {
        Random random = new Random(8);
        for (int length : new int[] {4095, 4096, 4097, 8192, 70_000, 300_000}) {
            for (String letter : List.of("a", "\u00e9", "\u20ac")) {
                String text = letter.repeat(length);
                CacheKey key = key(Endpoint.GENERATE, "{'prompt':'" + text + "'}");
                assertThat(key(Endpoint.GENERATE, "{'prompt' : '" + text + "'}"))
                        .isEqualTo(key);
                for (int at : new int[] {0, random.nextInt(length), length - 1}) {
                    String other = text.substring(0, at) + "b" + text.substring(at + 1);
                    assertThat(key(Endpoint.GENERATE, "{'prompt':'" + other + "'}"))
                            .isNotEqualTo(key);
                }
                assertThat(key(Endpoint.GENERATE, "{'prompt':'" + text + letter + "'}"))
                        .isNotEqualTo(key);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theSpellingOfARequestIsNotInTheKey(Case one) {
        Random random = new Random(one.endpoint().ordinal());
        for (int i = 0; i < 300; i++) {
            Map<String, Object> request = randomRequest(one.endpoint(), random);
            Question expected = question(one.endpoint(), Speller.plain(request), ASKED);
            String spelled = Speller.any(request, random);
            assertThat(question(one.endpoint(), spelled, ASKED)).as(spelled).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void twoRequestsHaveOneKeyOnlyIfTheySayTheSame(Case one) {
        Random random = new Random(100 + one.endpoint().ordinal());
        Map<String, CacheKey> keys = new HashMap<>();
        Map<CacheKey, String> meanings = new HashMap<>();
        for (int i = 0; i < 4000; i++) {
            Map<String, Object> request = randomRequest(one.endpoint(), random);
            String meaning = meaning(one.endpoint(), request);
            String body = Speller.any(request, random);
            CacheKey key = key(one.endpoint(), body);
            CacheKey before = keys.putIfAbsent(meaning, key);
            assertThat(before == null || before.equals(key)).as(body).isTrue();
            String other = meanings.putIfAbsent(key, meaning);
            assertThat(other == null || other.equals(meaning))
                    .as("%s: %s", body, other)
                    .isTrue();
        }
        assertThat(keys).hasSizeBetween(500, 3900);
    }

    /** What a request says, written slowly. */
    private static String meaning(Endpoint endpoint, Map<String, Object> request) {
        Map<String, String> said = new TreeMap<>();
        Map<String, FieldMeaning> meanings = fields(endpoint);
        request.forEach((name, value) -> {
            FieldMeaning meaning = meanings.getOrDefault(name, FieldMeaning.OPAQUE);
            if (meaning == FieldMeaning.OPAQUE || value != null) {
                String text = meaning(meaning, value);
                if (!text.isEmpty()) {
                    said.put(name, text);
                }
            }
        });
        return said.toString();
    }

    private static String meaning(FieldMeaning meaning, @Nullable Object value) {
        return switch (meaning) {
            case STREAM, DEBUG, IRRELEVANT -> "";
            case FLOAT, TEMPERATURE -> number(value);
            case INPUT -> Speller.plain(value instanceof String ? List.of(value) : value);
            case MESSAGES ->
                value instanceof List<?> list
                        ? list.stream()
                                .map(each -> each instanceof Map<?, ?> message
                                        ? Speller.plain(new TreeMap<>(message))
                                        : Speller.plain(each))
                                .collect(Collectors.joining(",", "[", "]"))
                        : Speller.plain(value);
            case OPTIONS, STREAM_OPTIONS ->
                value instanceof Map<?, ?> options ? options(options) : Speller.plain(value);
            default -> Speller.plain(value);
        };
    }

    private static String options(Map<?, ?> options) {
        Map<String, String> said = new TreeMap<>();
        options.forEach((name, value) -> {
            if (value != null && !name.equals("include_usage")) {
                said.put((String) name, number(value));
            }
        });
        return said.isEmpty() ? "" : said.toString();
    }

    private static String number(@Nullable Object value) {
        return value instanceof Spelled number ? "#" + Double.parseDouble(number.text()) : Speller.plain(value);
    }

    private static Map<String, Object> randomRequest(Endpoint endpoint, Random random) {
        Map<String, Object> request = new LinkedHashMap<>();
        switch (endpoint) {
            case GENERATE, EMBEDDINGS, V1_COMPLETIONS -> request.put("prompt", word(random));
            case EMBED, V1_EMBEDDINGS, V1_RESPONSES ->
                request.put("input", random.nextBoolean() ? word(random) : List.of(word(random)));
            default ->
                request.put(
                        "messages",
                        IntStream.rangeClosed(0, random.nextInt(2))
                                .mapToObj(i -> randomMessage(random))
                                .toList());
        }
        List<String> names = new ArrayList<>(fields(endpoint).keySet());
        names.addAll(List.of("format", "unknown"));
        names.sort(null);
        for (int more = random.nextInt(3); more > 0; more--) {
            String name = names.get(random.nextInt(names.size()));
            FieldMeaning meaning = fields(endpoint).getOrDefault(name, FieldMeaning.OPAQUE);
            switch (meaning) {
                case PROMPT, INPUT, MESSAGES -> {}
                case STREAM -> request.put(name, random.nextBoolean());
                case DEBUG -> request.put(name, false);
                case OPTIONS -> request.put(name, randomObject(random, List.of("seed", "temperature", "stop")));
                case STREAM_OPTIONS -> {
                    Map<String, Object> options = randomObject(random, List.of("x", "y"));
                    options.put("include_usage", random.nextBoolean());
                    request.put(name, options);
                }
                default -> request.put(name, randomValue(random, 2));
            }
        }
        return request;
    }

    private static Map<String, Object> randomMessage(Random random) {
        Map<String, Object> message = randomObject(random, List.of("role", "tool_calls", "x"));
        message.put("content", word(random));
        return message;
    }

    private static Map<String, Object> randomObject(Random random, List<String> names) {
        Map<String, Object> object = new LinkedHashMap<>();
        for (int members = random.nextInt(names.size() + 1); members > 0; members--) {
            object.put(names.get(random.nextInt(names.size())), randomValue(random, 1));
        }
        return object;
    }

    private static @Nullable Object randomValue(Random random, int depth) {
        return switch (random.nextInt(depth > 0 ? 7 : 5)) {
            case 0 -> null;
            case 1 -> random.nextBoolean();
            case 2 -> new Spelled(List.of("0", "1", "1.0", "-1", "1e1", "10").get(random.nextInt(6)));
            case 3, 4 -> word(random);
            case 5 ->
                IntStream.range(0, random.nextInt(3))
                        .mapToObj(i -> randomValue(random, depth - 1))
                        .collect(Collectors.toList());
            default -> randomObject(random, List.of("a", "B", "b"));
        };
    }

    private static String word(Random random) {
        return List.of("a", "b", "\ud800", "\ud83d\ude00", "\ufffd", "?", "1", "null", "\"", "\u0000", "[", "a,b")
                .get(random.nextInt(12));
    }

    /** A request with one field replaced, or added. */
    private static String instead(String request, String field) {
        String name = field.substring(0, field.indexOf(':') + 1);
        int at = request.indexOf(name);
        if (at < 0) {
            return request + "," + field;
        }
        int depth = 0;
        int end = at;
        while (end < request.length() && (depth > 0 || request.charAt(end) != ',')) {
            char c = request.charAt(end++);
            depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        }
        return request.substring(0, at) + field + request.substring(end);
    }

    private static Map<String, FieldMeaning> fields(Endpoint endpoint) {
        return Objects.requireNonNull(FieldMeaning.of(endpoint));
    }

    private static CacheKey key(Endpoint endpoint, String body) {
        return question(endpoint, body, ASKED).key();
    }

    private static Question question(Endpoint endpoint, String body, Asked asked) {
        // Apostrophes where a person wrote it.
        byte[] bytes = body.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        Reading reading = QuestionReader.read(endpoint, new ByteArrayInputStream(bytes), asked);
        assertThat(reading).as(body.length() > 1000 ? "long" : body).isInstanceOf(Question.class);
        return (Question) reading;
    }
}
