package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig.Rewrite;
import io.drover.config.DroverConfig.Validation;
import io.drover.ollama.Endpoint;
import io.drover.ollama.JsonFieldScanner;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What is refused and changed; each body is read in two pieces, cut at every byte, and byte by byte. */
class RequestLookTest {
    private static final Rewrite AS_IT_IS = new Rewrite(0, false, "");
    private static final Validation FIELDS = new Validation(true, List.of(), 0, 0, 0, 0);
    private static final Validation NOTHING = new Validation(false, List.of(), 0, 0, 0, 0);
    private static final Validation BOUNDS = new Validation(false, List.of(), 8192, 1000, 2, 3);

    /** What became of a body. */
    private record Seen(@Nullable Refusal refusal, String body) {
        String told() {
            return refusal == null ? "passes" : refusal.status() + " " + refusal.message();
        }
    }

    private static Seen see(Endpoint endpoint, Validation validation, Rewrite rewrite, String quoted) {
        RequestRules rules = new RequestRules(validation, rewrite);
        byte[] json = quoted.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        Seen whole = read(rules, endpoint, json, 0, 0);
        for (int cut = 1; cut < json.length; cut++) {
            assertThat(read(rules, endpoint, json, cut, 0)).as("cut at %s", cut).isEqualTo(whole);
        }
        assertThat(read(rules, endpoint, json, 0, 1)).as("byte by byte").isEqualTo(whole);
        return whole;
    }

    private static Seen read(RequestRules rules, Endpoint endpoint, byte[] json, int cut, int step) {
        RequestLook look = Objects.requireNonNull(rules.look(endpoint));
        JsonFieldScanner scanner = new JsonFieldScanner();
        scanner.visit(look);
        ByteBuf bytes = Unpooled.wrappedBuffer(json);
        if (step == 0) {
            scanner.feed(bytes, 0, cut);
            scanner.feed(bytes, cut, json.length);
        } else {
            for (int i = 0; i < json.length; i += step) {
                scanner.feed(bytes, i, i + step);
            }
        }
        assertThat(scanner.malformed()).isFalse();
        RequestLook.Source source =
                (from, to) -> new String(json, (int) from, (int) (to - from), StandardCharsets.UTF_8);
        Refusal refusal = look.refusal(scanner.complete(), scanner.model(), source);
        List<BodyEdit> edits = refusal == null && scanner.complete() ? look.edits(source) : List.of();
        return new Seen(refusal, edited(json, edits));
    }

    private static String edited(byte[] json, List<BodyEdit> edits) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int done = 0;
        for (BodyEdit edit : edits) {
            assertThat(edit.from()).as("edits in order").isGreaterThanOrEqualTo(done);
            out.writeBytes(Arrays.copyOfRange(json, done, (int) edit.from()));
            out.writeBytes(edit.text().getBytes(StandardCharsets.US_ASCII));
            done = (int) edit.to();
        }
        out.writeBytes(Arrays.copyOfRange(json, done, json.length));
        return out.toString(StandardCharsets.UTF_8);
    }

    // ------------------------------------------------------------------ types

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        GENERATE | {'model':'m','prompt':5}                  | prompt: a number, 5, at byte 22 (expected: a string)
        GENERATE | {'model':'m','PROMPT':['x']}              | prompt: an array, at byte 22 (expected: a string)
        GENERATE | {'model':'m','\\u0070rompt':{}}           | prompt: an object, at byte 27 (expected: a string)
        GENERATE | {'model':5}                               | model: a number, 5, at byte 9 (expected: a string)
        GENERATE | {'model':'m','stream':'true'}             | stream: a string, "true", at byte 22 (expected: true or false)
        GENERATE | {'model':'m','stream':'true enough'}      | stream: a string of 13 bytes, at byte 22 (expected: true or false)
        GENERATE | {'model':'m','raw':1}                     | raw: a number, 1, at byte 19 (expected: true or false)
        GENERATE | {'model':'m','images':'x'}                | images: a string, "x", at byte 22 (expected: an array)
        GENERATE | {'model':'m','images':['x',7]}            | images[1]: a number, 7, at byte 27 (expected: a string)
        GENERATE | {'model':'m','context':[1,2.5]}           | context[1]: a number, 2.5, at byte 26 (expected: a whole number)
        GENERATE | {'model':'m','context':[1,1e3]}           | context[1]: a number, 1e3, at byte 26 (expected: a whole number)
        GENERATE | {'model':'m','format':1}                  | format: a number, 1, at byte 22 (expected: an object or a string)
        GENERATE | {'model':'m','think':1}                   | think: a number, 1, at byte 21 (expected: a string or true or false)
        GENERATE | {'model':'m','keep_alive':true}           | keep_alive: true, at byte 26 (expected: a string or a number)
        GENERATE | {'model':'m','top_logprobs':0.5}          | top_logprobs: a number, 0.5, at byte 28 (expected: a whole number)
        GENERATE | {'model':'m','options':[]}                | options: an array, at byte 23 (expected: an object)
        GENERATE | {'model':'m','options':{'temperature':'0'}} | options.temperature: a string, "0", at byte 38 (expected: a number)
        GENERATE | {'model':'m','options':{'stop':'x'}}      | options.stop: a string, "x", at byte 31 (expected: an array)
        GENERATE | {'model':'m','options':{'stop':['x',1]}}  | options.stop[1]: a number, 1, at byte 36 (expected: a string)
        GENERATE | {'model':'m','options':{'use_mmap':1}}    | options.use_mmap: a number, 1, at byte 35 (expected: true or false)
        GENERATE | {'model':'m','options':{'num_ctx':'4k'},'prompt':1} | options.num_ctx: a string, "4k", at byte 34 (expected: a number)
        CHAT     | {'model':'m','messages':{}}               | messages: an object, at byte 24 (expected: an array)
        CHAT     | {'model':'m','messages':['hi']}           | messages[0]: a string, "hi", at byte 25 (expected: an object)
        CHAT     | {'model':'m','messages':[{},{'content':[]}]} | messages[1].content: an array, at byte 39 (expected: a string)
        CHAT     | {'model':'m','messages':[{'images':[{}]}]} | messages[0].images[0]: an object, at byte 36 (expected: a string)
        CHAT     | {'model':'m','messages':[{'tool_calls':[{'function':{'arguments':'x'}}]}]} | messages[0].tool_calls[0].function.arguments: a string, "x", at byte 65 (expected: an object)
        CHAT     | {'model':'m','tools':{}}                  | tools: an object, at byte 21 (expected: an array)
        CHAT     | {'model':'m','tools':[{'function':{'name':1}}]} | tools[0].function.name: a number, 1, at byte 42 (expected: a string)
        EMBED    | {'model':'m','input':5}                   | input: a number, 5, at byte 21 (expected: an array or a string)
        EMBED    | {'model':'m','input':['a',[1]]}           | input[1]: an array, at byte 26 (expected: a string)
        EMBED    | {'model':'m','dimensions':'5'}            | dimensions: a string, "5", at byte 26 (expected: a whole number)
        EMBEDDINGS | {'model':'m','prompt':[]}               | prompt: an array, at byte 22 (expected: a string)
        SHOW     | {'model':{}}                              | model: an object, at byte 9 (expected: a string)
        V1_CHAT_COMPLETIONS | {'model':'m','max_tokens':1.5} | max_tokens: a number, 1.5, at byte 26 (expected: a whole number)
        V1_CHAT_COMPLETIONS | {'model':'m','messages':[{'content':5}]} | messages[0].content: a number, 5, at byte 36 (expected: an array or a string)
        V1_CHAT_COMPLETIONS | {'model':'m','messages':[{'content':['x']}]} | messages[0].content[0]: a string, "x", at byte 37 (expected: an object)
        V1_CHAT_COMPLETIONS | {'model':'m','stream_options':{'include_usage':1}} | stream_options.include_usage: a number, 1, at byte 47 (expected: true or false)
        V1_COMPLETIONS | {'model':'m','prompt':['x']}        | prompt: an array, at byte 22 (expected: a string)
        V1_COMPLETIONS | {'model':'m','seed':'7'}            | seed: a string, "7", at byte 20 (expected: a whole number)
        V1_EMBEDDINGS | {'model':'m','input':[[1,2]]}        | input[0]: an array, at byte 22 (expected: a string)
        V1_RESPONSES | {'model':'m','input':{}}              | input: an object, at byte 21 (expected: an array or a string)
        V1_RESPONSES | {'model':'m','input':[{'role':1}]}    | input[0].role: a number, 1, at byte 30 (expected: a string)
        V1_MESSAGES | {'model':'m','max_tokens':'9'}         | max_tokens: a string, "9", at byte 26 (expected: a whole number)
        V1_MESSAGES | {'model':'m','messages':[{'content':[{'text':1}]}]} | messages[0].content[0].text: a number, 1, at byte 45 (expected: a string)
        V1_MESSAGES | {'model':'m','system':1}               | system: a number, 1, at byte 22 (expected: an array or a string)
        CHAT     | []                                        | the request's body: an array, at byte 0 (expected: an object)
        CHAT     | {'messages':[]}                           | model: missing (expected: the name of a model)
        CHAT     | {'model':''}                              | model: missing (expected: the name of a model)
        CHAT     | {'model':null}                            | model: missing (expected: the name of a model)
        CHAT     | null                                      | model: missing (expected: the name of a model)
        CHAT     | {'model':'m'                              | the request's body ends within its JSON, or is empty (expected: a whole object)
        """)
    void aWrongTypeIsToldByItsPath(Endpoint endpoint, String body, String message) {
        assertThat(see(endpoint, FIELDS, AS_IT_IS, body).told()).isEqualTo("400 " + message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        GENERATE | {'model':'m','prompt':'p','suffix':'s','system':'y','template':'t','context':[1,-2],'raw':true,'images':['aGk=']}
        GENERATE | {'model':'m','stream':false,'format':'json','keep_alive':'5m','think':'high','truncate':true,'shift':true,'logprobs':true,'top_logprobs':3}
        GENERATE | {'model':'m','format':{'type':'object','properties':{'a':{'type':5}}},'keep_alive':-1.5,'think':false,'_debug_render_only':false}
        GENERATE | {'model':'m','options':{'num_ctx':4096.0,'num_predict':-1,'seed':1e3,'top_p':0.9,'stop':['a'],'use_mmap':true,'next_year':'x'}}
        GENERATE | {'model':'m','prompt':null,'stream':null,'options':null,'images':null,'context':null,'keep_alive':null,'think':null}
        GENERATE | {'model':'m','options':{'temperature':'x','temperature':1,'num_ctx':{},'num_ctx':1}}
        GENERATE | {'model':'m','options':{'temperature':'x'},'options':null}
        GENERATE | {'model':'m','options':{'Temperature':'x'}}
        GENERATE | {'model':'m','next_year':{'prompt':5,'options':[]},'x':['model',5]} and what follows
        CHAT | {'Model':'m','messages':[{'role':'user','content':'x','images':['aGk='],'thinking':''},{'role':'assistant','tool_calls':[{'id':'1','function':{'index':0,'name':'f','arguments':{'content':5}}}]},{'role':'tool','tool_name':'f','content':'1'},null]}
        CHAT | {'model':'m','tools':[{'type':'function','function':{'name':'f','description':'d','parameters':{'type':['object','null']}}}]}
        EMBED | {'model':'m','input':'x','truncate':false,'dimensions':5}
        EMBED | {'model':'m','input':['x','y']}
        EMBEDDINGS | {'model':'m','prompt':'x'}
        SHOW | {'model':'m','verbose':'whatever','options':7}
        V1_CHAT_COMPLETIONS | {'model':'m','messages':[{'role':'user','content':[{'type':'text','text':'x'},{'type':'image_url','image_url':{'url':'data:'}}]},{'role':'assistant','content':null,'tool_calls':[{'id':'1','type':'function','function':{'name':'f','arguments':'{}'}}]}],'stop':'x','n':1,'user':'me','tool_choice':'auto','response_format':{'type':'json_object'}}
        V1_CHAT_COMPLETIONS | {'model':'m','messages':[],'stop':['x'],'temperature':0,'max_tokens':5,'max_completion_tokens':6,'stream':true,'stream_options':{'include_usage':true}}
        V1_COMPLETIONS | {'model':'m','prompt':'x','seed':-1,'logprobs':5}
        V1_EMBEDDINGS | {'model':'m','input':['x'],'encoding_format':'base64','dimensions':3}
        V1_RESPONSES | {'model':'m','input':'x','instructions':'y','max_output_tokens':9,'reasoning':{'effort':'low'},'text':{'format':{'type':'text'}},'tools':[{'type':'web_search'}]}
        V1_RESPONSES | {'model':'m','input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'x'}]},{'type':'function_call_output','call_id':'1','output':'x'}],'include':[]}
        V1_MESSAGES | {'model':'m','max_tokens':5,'messages':[{'role':'user','content':'x'},{'role':'user','content':[{'type':'tool_result','tool_use_id':'1','content':[{'type':'text','text':'x'}]}]}],'system':[{'type':'text','text':'x'}],'tools':[{'name':'f','input_schema':{'type':'object'}}],'thinking':{'type':'enabled','budget_tokens':9}}
        """)
    void whatOllamaTakesPassesUnchanged(Endpoint endpoint, String body) {
        Validation all = new Validation(true, List.of("m"), 8192, 0, 8, 8);
        Seen seen = see(endpoint, all, AS_IT_IS, body);
        assertThat(seen.told()).isEqualTo("passes");
        assertThat(seen.body()).isEqualTo(body.replace('\'', '"'));
    }

    @Test
    void aWholePromptIsNeverShown() {
        Seen seen = see(Endpoint.CHAT, FIELDS, AS_IT_IS, "{'model':'m','messages':'secret " + "x".repeat(500) + "'}");
        assertThat(seen.told()).contains("messages: a string of 509 bytes").doesNotContain("secret");
        assertThat(see(Endpoint.CHAT, FIELDS, AS_IT_IS, "{'model':'m','messages':'my secret'}")
                        .told())
                .doesNotContain("secret");
    }

    @Test
    void offItLooksAtNothing() {
        for (Endpoint endpoint : Endpoint.values()) {
            assertThat(new RequestRules(NOTHING, AS_IT_IS).look(endpoint)).isNull();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Endpoint.class,
            names = {"SHOW", "V1_CHAT_COMPLETIONS", "V1_MESSAGES", "V1_EMBEDDINGS"})
    void rewritingConcernsOllamasOwnApiOnly(Endpoint endpoint) {
        assertThat(new RequestRules(NOTHING, new Rewrite(1, false, "5m")).look(endpoint))
                .isNull();
        assertThat(new RequestRules(FIELDS, AS_IT_IS).look(endpoint)).isNotNull();
    }

    @Test
    void otherEndpointsAreNotLookedInto() {
        RequestRules rules = new RequestRules(FIELDS, new Rewrite(1, true, "5m"));
        assertThat(rules.look(Endpoint.PULL)).isNull();
        assertThat(rules.look(Endpoint.V1_TRANSCRIPTIONS)).isNull();
        assertThat(rules.look(Endpoint.OTHER)).isNull();
    }

    // ------------------------------------------------------------------ bounds

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        GENERATE | {'options':{'num_ctx':8193}}                    | options.num_ctx: a number, 8193, at byte 22 (expected: at most 8192, by validation.max-num-ctx)
        EMBED    | {'OPTIONS':{'num_ctx':8.2e3}}                   | options.num_ctx: a number, 8.2e3, at byte 22 (expected: at most 8192, by validation.max-num-ctx)
        CHAT     | {'options':{'num_ctx':1},'options':{'num_ctx':9000}} | options.num_ctx: a number, 9000, at byte 46 (expected: at most 8192, by validation.max-num-ctx)
        CHAT     | {'options':{'num_ctx':9000},'options':{'seed':1}} | options.num_ctx: a number, 9000, at byte 22 (expected: at most 8192, by validation.max-num-ctx)
        CHAT     | {'options':{'num_ctx':100000000000000000000000000000000000}} | options.num_ctx: a number of 36 characters, at byte 22 (expected: at most 8192, by validation.max-num-ctx)
        CHAT     | {'options':{'num_predict':1001}}                | options.num_predict: a number, 1001, at byte 26 (expected: from 1 to 1000, by validation.max-num-predict)
        CHAT     | {'options':{'num_predict':-1}}                  | options.num_predict: a number, -1, at byte 26 (expected: from 1 to 1000, by validation.max-num-predict)
        CHAT     | {'options':{'num_predict':-2}}                  | options.num_predict: a number, -2, at byte 26 (expected: from 1 to 1000, by validation.max-num-predict)
        CHAT     | {'options':{'num_predict':0.5}}                 | options.num_predict: a number, 0.5, at byte 26 (expected: from 1 to 1000, by validation.max-num-predict)
        V1_CHAT_COMPLETIONS | {'max_tokens':1001}                  | max_tokens: a number, 1001, at byte 14 (expected: from 1 to 1000, by validation.max-num-predict)
        V1_CHAT_COMPLETIONS | {'max_tokens':1,'max_completion_tokens':1001} | max_completion_tokens: a number, 1001, at byte 40 (expected: from 1 to 1000, by validation.max-num-predict)
        V1_COMPLETIONS | {'max_tokens':-1}                         | max_tokens: a number, -1, at byte 14 (expected: from 1 to 1000, by validation.max-num-predict)
        V1_RESPONSES | {'max_output_tokens':1001}                  | max_output_tokens: a number, 1001, at byte 21 (expected: from 1 to 1000, by validation.max-num-predict)
        V1_MESSAGES | {'max_tokens':1001}                          | max_tokens: a number, 1001, at byte 14 (expected: from 1 to 1000, by validation.max-num-predict)
        GENERATE | {'images':['','','']}                           | images: 3 (expected: at most 2, by validation.max-images)
        CHAT     | {'messages':[{'images':['','']},{'Images':['']}]} | images: 3 (expected: at most 2, by validation.max-images)
        V1_CHAT_COMPLETIONS | {'messages':[{'content':[{'type':'image_url'},{'type':'image_url'},{'type':'image_url'}]}]} | images: 3 (expected: at most 2, by validation.max-images)
        V1_RESPONSES | {'input':[{'content':[{'type':'input_image'},{'type':'input_image'},{'x':[],'type':'input_image'}]}]} | images: 3 (expected: at most 2, by validation.max-images)
        V1_MESSAGES | {'messages':[{'content':[{'type':'image'},{'type':'tool_result','content':[{'type':'image'},{'type':'image'}]}]}]} | images: 3 (expected: at most 2, by validation.max-images)
        CHAT     | {'messages':[{},{},{},{}]}                      | messages: 4 (expected: at most 3, by validation.max-messages)
        V1_RESPONSES | {'input':[{},{},{},{}]}                     | messages: 4 (expected: at most 3, by validation.max-messages)
        V1_MESSAGES | {'messages':[{},{},{},{}]}                   | messages: 4 (expected: at most 3, by validation.max-messages)
        """)
    void whatIsTooLargeIs400(Endpoint endpoint, String body, String message) {
        assertThat(see(endpoint, BOUNDS, AS_IT_IS, body).told()).isEqualTo("400 " + message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        CHAT | {}
        CHAT | {'options':{'num_ctx':8192,'num_predict':1000}}
        CHAT | {'options':{'num_ctx':8192.9,'num_predict':1}}
        CHAT | {'options':{'num_ctx':9000,'num_ctx':1}}
        CHAT | {'options':{'num_ctx':9000,'num_ctx':null}}
        CHAT | {'options':{'num_ctx':9000},'options':null}
        CHAT | {'options':{'num_ctx':'9000','NUM_CTX':9000},'num_ctx':9000,'x':{'options':{'num_ctx':9000}}}
        CHAT | {'max_tokens':1001}
        CHAT | {'messages':[{},{},{},{}],'messages':[{},{},{}]}
        CHAT | {'messages':[{'images':['','']}],'images':['','','']}
        V1_MESSAGES | {'messages':[{'content':[{'type':'tool_use','input':[{'type':'image'},{'type':'image'},{'type':'image'}]}]}]}
        V1_CHAT_COMPLETIONS | {'messages':[{'content':[{'type':'image_url'},{'type':'image_url'},{'type':'text'}]}],'options':{'num_ctx':9000}}
        """)
    void whatKeepsToTheBoundsPasses(Endpoint endpoint, String body) {
        assertThat(see(endpoint, BOUNDS, AS_IT_IS, body).told()).isEqualTo("passes");
    }

    @ParameterizedTest
    @CsvSource({
        "llama3.2,         passes",
        "llama3.2:latest,  passes",
        "qwen3,            passes",
        "qwen3:latest,     passes",
        "qwen3:8b,         403",
        "LLAMA3.2,         403",
        "my/llama3.2,      403",
        "gemma,            passes",
        "gemma:latest,     passes",
        "gemma:2b,         403",
    })
    void onlyModelsOfTheListMayBeAskedFor(String model, String told) {
        Validation models = new Validation(false, List.of("llama3*", "qwen3:latest", "gemma"), 0, 0, 0, 0);
        String seen = see(Endpoint.CHAT, models, AS_IT_IS, "{'model':'" + model + "'}")
                .told();
        if (told.equals("403")) {
            assertThat(seen)
                    .isEqualTo("403 model \"" + model + "\" is not allowed here (expected: one of llama3*,"
                            + " qwen3:latest, gemma, by validation.models)");
        } else {
            assertThat(seen).isEqualTo(told);
        }
        assertThat(see(Endpoint.CHAT, models, AS_IT_IS, "{}").told()).startsWith("400 model: missing");
    }

    // ------------------------------------------------------------------ rewriting

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {'options':{'num_ctx':9000},'a':1}            | {'options':{'num_ctx':4096},'a':1}
        {'options':{'num_ctx' : 9e3 ,'seed':1}}       | {'options':{'num_ctx' : 4096 ,'seed':1}}
        {'options':{'num_ctx':1},'options':{'num_ctx':9000}} | {'options':{'num_ctx':1},'options':{'num_ctx':4096}}
        {'options':{'num_ctx':4096}}                  | {'options':{'num_ctx':4096}}
        {'options':{'num_ctx':-1}}                    | {'options':{'num_ctx':-1}}
        {'options':{'num_ctx':'9000'}}                | {'options':{'num_ctx':'9000'}}
        {'options':{},'num_ctx':9000}                 | {'options':{},'num_ctx':9000}
        {'x':{'options':{'num_ctx':9000}}} {}         | {'x':{'options':{'num_ctx':9000}}} {}
        """)
    void numCtxIsClamped(String body, String expected) {
        assertThat(see(Endpoint.CHAT, NOTHING, new Rewrite(4096, false, ""), body)
                        .body())
                .isEqualTo(expected.replace('\'', '"'));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {'options':{'num_ctx':9000}}                             | {'options':{}}
        {'options':{ 'num_ctx' : 9000 , 'seed':1}}               | {'options':{ 'seed':1}}
        {'options':{'seed':1 , 'num_ctx':{'a':[1]} }}            | {'options':{'seed':1 }}
        {'options':{'seed':1,'num_ctx':1,'top_k':2}}             | {'options':{'seed':1,'top_k':2}}
        {'options':{'num_ctx':1,'num_ctx':2}}                    | {'options':{}}
        {'options':{'num_ctx':1,'num_ctx':2,'seed':1}}           | {'options':{'seed':1}}
        {'options':{'num_ctx':1,'seed':1,'num_ctx':2}}           | {'options':{'seed':1}}
        {'options':{'seed':1,'num_ctx':1,'num_ctx':2,'top_k':2}} | {'options':{'seed':1,'top_k':2}}
        {'options':{'num_ctx':1},'Options':{'num_ctx':2,'a':1}}  | {'options':{},'Options':{'a':1}}
        {'options':{'num\\u005fctx':1,'a':1}}                    | {'options':{'a':1}}
        {'options':{'NUM_CTX':1,'x':{'num_ctx':1}},'num_ctx':1}  | {'options':{'NUM_CTX':1,'x':{'num_ctx':1}},'num_ctx':1}
        """)
    void numCtxIsTakenOut(String body, String expected) {
        assertThat(see(Endpoint.GENERATE, NOTHING, new Rewrite(4096, true, ""), body)
                        .body())
                .isEqualTo(expected.replace('\'', '"'));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        30m | {'model':'m'}                     | {'keep_alive':'30m','model':'m'}
        30m |  { }                              |  {'keep_alive':'30m' }
        -1  | {'keep_alive' : '5m' }            | {'keep_alive' : -1 }
        007 | {'a':1,'Keep_Alive':{'a':1},'b':2} | {'a':1,'Keep_Alive':7,'b':2}
        1h  | {'keep_alive':'5m','keep_alive':null} | {'keep_alive':'5m','keep_alive':'1h'}
        1h  | {'x':{'keep_alive':0}}            | {'keep_alive':'1h','x':{'keep_alive':0}}
        1h  | [{}]                              | [{}]
        1h  | {'model':'m'                      | {'model':'m'
        """)
    void keepAliveIsSet(String value, String body, String expected) {
        assertThat(see(Endpoint.EMBED, NOTHING, new Rewrite(0, false, value), body)
                        .body())
                .isEqualTo(expected.replace('\'', '"'));
    }

    @Test
    void allRulesTogetherAndTheRequestIsJudgedAsItCame() {
        Validation bounds = new Validation(true, List.of(), 8192, 0, 0, 0);
        Rewrite rewrite = new Rewrite(4096, false, "30m");

        assertThat(see(Endpoint.CHAT, bounds, rewrite, "{'model':'m','options':{'num_ctx':8000},'keep_alive':0}")
                        .body())
                .isEqualTo("{\"model\":\"m\",\"options\":{\"num_ctx\":4096},\"keep_alive\":\"30m\"}");
        assertThat(see(Endpoint.CHAT, bounds, rewrite, "{'model':'m','options':{'num_ctx':9000}}")
                        .told())
                .startsWith("400 options.num_ctx: a number, 9000");
    }

    @Test
    void aMemberThatComesTooOftenToBeTakenOutIsRefused() {
        String many = "'num_ctx':1,".repeat(17);
        assertThat(see(Endpoint.CHAT, NOTHING, new Rewrite(0, true, ""), "{'options':{" + many + "'a':1}}")
                        .told())
                .isEqualTo("400 options.num_ctx: more than 16 times (expected: once)");
    }
}
