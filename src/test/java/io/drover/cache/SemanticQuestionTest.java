package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.Endpoint;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SemanticQuestionTest {
    private static final Asked ASKED = new Asked("digest", "0.12.0", "");

    private static @Nullable SemanticQuestion read(Endpoint endpoint, String body, Asked asked) {
        return SemanticQuestion.read(endpoint, body.replace('\'', '"').getBytes(StandardCharsets.UTF_8), asked);
    }

    private static @Nullable SemanticQuestion read(Endpoint endpoint, String body) {
        return read(endpoint, body, ASKED);
    }

    private static String group(Endpoint endpoint, String body) {
        return Objects.requireNonNull(read(endpoint, body), body).group();
    }

    private static String chat(String more) {
        return "{'model':'m','messages':[{'role':'user','content':'why?'}]" + more + "}";
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GENERATE            | {'model':'m','prompt':'why \\u00fc?'}",
                "CHAT                | {'messages':[{'content':'why \\u00fc?','role':'user'}],'model':'m'}",
                "CHAT                | {'model':'m','messages':[{'role':'system','content':'x'},{'role':'user','content':'why ü?'}]}",
                "V1_CHAT_COMPLETIONS | {'model':'m','messages':[{'role':'user','content':[{'type':'text','text':'why ü?'}]}]}",
                "V1_COMPLETIONS      | {'model':'m','prompt':'why ü?'}",
                "V1_MESSAGES         | {'model':'m','max_tokens':9,'messages':[{'role':'user','content':'why ü?'}]}",
                "V1_RESPONSES        | {'model':'m','input':'why ü?'}",
                "V1_RESPONSES        | {'model':'m','input':[{'type':'message','role':'user','content':[{'type':'input_text','text':'why ü?'}]}]}",
            })
    void theTextIsWhatTheUserSaysLast(Endpoint endpoint, String body) {
        SemanticQuestion question = Objects.requireNonNull(read(endpoint, body));
        assertThat(question.text()).isEqualTo("why ü?");
        String other = body.replace("why", "what for, and until when,");
        assertThat(group(endpoint, other)).isEqualTo(question.group());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ",'tools':[{'type':'function'}]",
                ",'format':'json'",
                ",'format':{'type':'object'}",
                ",'unknown':1",
                ",'logprobs':true",
            })
    void aRequestWithMoreThanTextIsNotCompared(String more) {
        assertThat(read(Endpoint.CHAT, chat(""))).isNotNull();
        assertThat(read(Endpoint.CHAT, chat(more))).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CHAT                | {'model':'m','messages':[{'role':'user','content':'why','images':['aaaa']}]}",
                "CHAT                | {'model':'m','messages':[{'role':'user','content':'x','images':['aaaa']},{'role':'user','content':'why'}]}",
                "CHAT                | {'model':'m','messages':[{'role':'assistant','content':'','tool_calls':[{}]},{'role':'user','content':'why'}]}",
                "CHAT                | {'model':'m','messages':[{'role':'tool','content':'22'},{'role':'user','content':'why'}]}",
                "CHAT                | {'model':'m','messages':[{'role':'user','content':'why'},{'role':'tool','content':'22'}]}",
                "CHAT                | {'model':'m','messages':[{'role':'user','content':'why'},{'role':'assistant','content':'well'}]}",
                "CHAT                | {'model':'m','messages':[{'content':'why'}]}",
                "CHAT                | {'model':'m','messages':[{'role':'user','content':' '}]}",
                "CHAT                | {'model':'m','messages':[]}",
                "GENERATE            | {'model':'m','prompt':'why','images':['aaaa']}",
                "GENERATE            | {'model':'m','prompt':'why','suffix':'x'}",
                "GENERATE            | {'model':'m','prompt':'why','context':[1]}",
                "GENERATE            | {'model':'m','prompt':'why','raw':true}",
                "GENERATE            | {'model':'m','prompt':'why','format':'json'}",
                "V1_COMPLETIONS      | {'model':'m','prompt':['why']}",
                "V1_COMPLETIONS      | {'model':'m','prompt':'why','suffix':'x'}",
                "V1_CHAT_COMPLETIONS | {'model':'m','messages':[{'role':'user','content':'why'}],'response_format':{'type':'json_object'}}",
                "V1_CHAT_COMPLETIONS | {'model':'m','messages':[{'role':'user','content':[{'type':'text','text':'why'},{'type':'image_url','image_url':{'url':'x'}}]}]}",
                "V1_CHAT_COMPLETIONS | {'model':'m','messages':[{'role':'user','content':[{'type':'text','text':'why'},{'type':'text','text':'not'}]}]}",
                "V1_MESSAGES         | {'model':'m','messages':[{'role':'user','content':[{'type':'tool_result','content':'22'}]}]}",
                "V1_RESPONSES        | {'model':'m','input':'why','text':{'format':{'type':'json_schema'}}}",
                "V1_RESPONSES        | {'model':'m','input':[{'type':'function_call_output','output':'22'}]}",
                "EMBED               | {'model':'m','input':'why'}",
                "EMBEDDINGS          | {'model':'m','prompt':'why'}",
            })
    void whatIsNotOneTextOfTheUsersIsNotCompared(Endpoint endpoint, String body) {
        assertThat(read(endpoint, body)).isNull();
    }

    @Test
    void whatIsAsGoodAsAbsentIsNoHindrance() {
        assertThat(read(Endpoint.CHAT, chat(",'tools':[],'format':''"))).isNotNull();
        assertThat(read(
                        Endpoint.GENERATE,
                        "{'model':'m','prompt':'x','suffix':'','raw':false,'images':null,'context':[]}"))
                .isNotNull();
        assertThat(read(
                        Endpoint.CHAT,
                        "{'model':'m','messages':[{'role':'user','content':'x','images':[],'tool_calls':null}]}"))
                .isNotNull();
    }

    @Test
    void aVeryLongTextIsNotCompared() {
        assertThat(read(Endpoint.GENERATE, "{'model':'m','prompt':'" + "x".repeat(8192) + "'}"))
                .isNotNull();
        assertThat(read(Endpoint.GENERATE, "{'model':'m','prompt':'" + "x".repeat(8193) + "'}"))
                .isNull();
    }

    @Test
    void everythingElseChangesTheGroup() {
        Set<String> groups = new HashSet<>();
        String[] bodies = {
            chat(""),
            chat(",'options':{'temperature':0}"),
            chat(",'options':{'temperature':0.5}"),
            chat(",'options':{'seed':1}"),
            chat(",'options':{'num_ctx':1024}"),
            chat(",'options':{'stop':['x']}"),
            chat(",'think':true"),
            chat(",'truncate':true"),
            chat("").replace("'m'", "'n'"),
            "{'model':'m','messages':[{'role':'system','content':'s'},{'role':'user','content':'why?'}]}",
            "{'model':'m','messages':[{'role':'system','content':'t'},{'role':'user','content':'why?'}]}",
            "{'model':'m','messages':[{'role':'user','content':'s'},{'role':'user','content':'why?'}]}",
            "{'model':'m','messages':[{'role':'user','content':'s'},{'role':'assistant','content':'t'},{'role':'user','content':'why?'}]}",
            "{'model':'m','messages':[{'role':'user','name':'carol','content':'why?'}]}",
        };
        for (String body : bodies) {
            assertThat(groups.add(group(Endpoint.CHAT, body))).as(body).isTrue();
        }
        for (Asked asked : new Asked[] {
            new Asked("other", "0.12.0", ""), new Asked("digest", "0.13.0", ""), new Asked("digest", "0.12.0", "carol")
        }) {
            SemanticQuestion question = Objects.requireNonNull(read(Endpoint.CHAT, chat(""), asked));
            assertThat(groups.add(question.group())).as(asked.toString()).isTrue();
        }
        String prompt = "{'model':'m','prompt':'why?'}";
        assertThat(groups.add(group(Endpoint.GENERATE, prompt))).isTrue();
        assertThat(groups.add(group(Endpoint.V1_COMPLETIONS, prompt))).isTrue();
        assertThat(groups.add(group(Endpoint.V1_CHAT_COMPLETIONS, chat("")))).isTrue();
        for (String more : new String[] {"'system':'s'", "'template':'t'", "'think':false"}) {
            assertThat(groups.add(group(Endpoint.GENERATE, prompt.replace("}", "," + more + "}"))))
                    .as(more)
                    .isTrue();
        }
    }

    @Test
    void whetherItIsStreamedDoesNot() {
        assertThat(group(Endpoint.CHAT, chat(",'stream':false,'keep_alive':'5m'")))
                .isEqualTo(group(Endpoint.CHAT, chat("")));
    }
}
