package io.drover.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.drover.ollama.Endpoint;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedPlanTest {
    private static final String OLLAMAS = "{'model':'m','embeddings':[[0.1,-2e-05],[3],[0.25,1]],"
            + "'total_duration':14143917,'load_duration':1019500,'prompt_eval_count':8}";
    private static final String OPEN_AIS = "{'object':'list','data':["
            + "{'object':'embedding','embedding':[0.1,-2e-05],'index':0},"
            + "{'object':'embedding','embedding':[3],'index':1},"
            + "{'object':'embedding','embedding':[0.25,1],'index':2}],"
            + "'model':'m','usage':{'prompt_tokens':8,'total_tokens':8}}\n";
    private static final String BASE64 = "{'object':'list','data':["
            + "{'object':'embedding','embedding':'zczMPQ==','index':0}],"
            + "'model':'m','usage':{'prompt_tokens':2,'total_tokens':2}}\n";

    private static byte[] json(String text) {
        return text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte @Nullable [] json) {
        return new String(Objects.requireNonNull(json), StandardCharsets.UTF_8).replace('"', '\'');
    }

    private static EmbedQuestion question(Endpoint endpoint, String inputs) {
        byte[] body = json("{'model':'m','input':" + inputs + "}");
        return Objects.requireNonNull(
                EmbedQuestion.read(endpoint, new Asked("d", "v", ""), new ByteArrayInputStream(body)));
    }

    private static @Nullable EmbedAnswer split(Endpoint endpoint, String body, int inputs) {
        return EmbedAnswer.split(endpoint, json(body), inputs);
    }

    private static EmbedAnswer answer(Endpoint endpoint, String body, int inputs) {
        return Objects.requireNonNull(split(endpoint, body, inputs), body);
    }

    /** What a later request finds: the entries of an answer to these inputs. */
    private static Map<CacheKey, EmbedPart> kept(Endpoint endpoint, String inputs, String body) {
        EmbedPlan plan = question(endpoint, inputs).plan(Map.of());
        Map<CacheKey, EmbedPart> found = new HashMap<>();
        plan.fresh(answer(endpoint, body, plan.asked()))
                .forEach((key, part) -> found.put(key, Objects.requireNonNull(EmbedPart.of(entry(part)), "entry")));
        return found;
    }

    /** As Redis gives it back. */
    private static CachedAnswer entry(EmbedPart part) {
        CachedAnswer entry = Objects.requireNonNull(part.entry("m", new Origin("m", 1, 2)), "entry");
        return Objects.requireNonNull(CachedAnswer.fromBytes(entry.toBytes()), "from bytes");
    }

    private static Map<CacheKey, EmbedPart> both(Map<CacheKey, EmbedPart> one, Map<CacheKey, EmbedPart> other) {
        Map<CacheKey, EmbedPart> both = new HashMap<>(one);
        both.putAll(other);
        return both;
    }

    @Test
    void aVectorMayBeOfAnyLength() {
        String body = "{'model':'m','embeddings':[[" + "0.5,".repeat(50_000) + "1]]}";

        assertThat(answer(Endpoint.EMBED, body, 1).parts()).hasSize(1);
    }

    @Test
    void whatABackendSaysComesOutAsItWas() {
        EmbedPlan ollamas = question(Endpoint.EMBED, "['a','b','c']").plan(Map.of());
        EmbedPlan openAis = question(Endpoint.V1_EMBEDDINGS, "['a','b','c']").plan(Map.of());

        assertThat(ollamas.isWhole()).isTrue();
        assertThat(ollamas.isComplete()).isFalse();
        assertThat(text(ollamas.join(answer(Endpoint.EMBED, OLLAMAS, 3), 5))).isEqualTo(OLLAMAS);
        assertThat(text(openAis.join(answer(Endpoint.V1_EMBEDDINGS, OPEN_AIS, 3), 5)))
                .isEqualTo(OPEN_AIS);
    }

    @Test
    void keptVectorsNeedNoBackend() {
        EmbedPlan plan = question(Endpoint.EMBED, "['c','a','c']").plan(kept(Endpoint.EMBED, "['a','b','c']", OLLAMAS));

        assertThat(plan.isComplete()).isTrue();
        assertThat(text(plan.join(null, 250_000)))
                .isEqualTo("{'model':'m','embeddings':[[0.25,1],[0.1,-2e-05],[0.25,1]],'total_duration':250000}");
        assertThat(text(plan.join(null, 0))).isEqualTo("{'model':'m','embeddings':[[0.25,1],[0.1,-2e-05],[0.25,1]]}");
    }

    @Test
    void whereNothingIsAskedForNothingIsTold() {
        EmbedPlan plan = question(Endpoint.EMBED, "'a'")
                .plan(kept(Endpoint.EMBED, "'a'", "{'model':'m','embeddings':[[1]],'prompt_eval_count':3}"));
        EmbedAnswer loaded = answer(Endpoint.EMBED, "{'model':'m','embeddings':[]}", 0);

        assertThat(text(plan.join(loaded, 5))).isEqualTo("{'model':'m','embeddings':[[1]],'prompt_eval_count':3}");
    }

    @Test
    void onlyTheOthersAreAskedForEachOnce() {
        EmbedPlan plan =
                question(Endpoint.EMBED, "['x','a','y','x','b']").plan(kept(Endpoint.EMBED, "['a','b','c']", OLLAMAS));

        assertThat(plan.isWhole()).isFalse();
        assertThat(plan.asked()).isEqualTo(2);
        assertThat(plan.input()).isEqualTo("[\"x\",\"y\"]");
        String told = "{'model':'m','embeddings':[[7],[8]],'total_duration':9,'load_duration':1,'prompt_eval_count':4}";
        assertThat(text(plan.join(answer(Endpoint.EMBED, told, 2), 5)))
                .isEqualTo("{'model':'m','embeddings':[[7],[0.1,-2e-05],[8],[7],[3]],"
                        + "'total_duration':9,'load_duration':1}");
    }

    @Test
    void tokensAddUpWhereAllAreKnown() {
        Map<CacheKey, EmbedPart> a =
                kept(Endpoint.EMBED, "'a'", "{'model':'m','embeddings':[[1]],'prompt_eval_count':3}");
        String one = "{'model':'m','embeddings':[[2]],'prompt_eval_count':5}";
        String two = "{'model':'m','embeddings':[[2],[4]],'prompt_eval_count':5}";

        assertThat(text(question(Endpoint.EMBED, "['a','a']").plan(a).join(null, 0)))
                .endsWith(",'prompt_eval_count':6}");
        assertThat(text(question(Endpoint.EMBED, "['a','x']").plan(a).join(answer(Endpoint.EMBED, one, 1), 0)))
                .endsWith(",'prompt_eval_count':8}");
        assertThat(text(question(Endpoint.EMBED, "['x','a','x']").plan(a).join(answer(Endpoint.EMBED, one, 1), 0)))
                .endsWith(",'prompt_eval_count':13}");
        assertThat(text(question(Endpoint.EMBED, "['x','a','y']").plan(a).join(answer(Endpoint.EMBED, two, 2), 0)))
                .endsWith(",'prompt_eval_count':8}");
        assertThat(text(question(Endpoint.EMBED, "['x','y','y']").plan(a).join(answer(Endpoint.EMBED, two, 2), 0)))
                .isEqualTo("{'model':'m','embeddings':[[2],[4],[4]]}");
        assertThat(text(question(Endpoint.EMBED, "['a','x']")
                        .plan(a)
                        .join(answer(Endpoint.EMBED, "{'model':'m','embeddings':[[2]]}", 1), 0)))
                .isEqualTo("{'model':'m','embeddings':[[1],[2]]}");
    }

    @Test
    void openAisFormAsksForWhatIsNotCounted() {
        Map<CacheKey, EmbedPart> uncounted = kept(Endpoint.V1_EMBEDDINGS, "['a','b','c']", OPEN_AIS);
        Map<CacheKey, EmbedPart> counted =
                kept(Endpoint.EMBED, "'x'", "{'model':'m','embeddings':[[7]],'prompt_eval_count':2}");

        EmbedPlan all = question(Endpoint.V1_EMBEDDINGS, "['a','b','c']").plan(uncounted);
        EmbedPlan some = question(Endpoint.V1_EMBEDDINGS, "['a','x','b']").plan(both(uncounted, counted));

        assertThat(all.isWhole()).isTrue();
        assertThat(some.input()).isEqualTo("[\"a\",\"b\"]");
        assertThat(question(Endpoint.EMBED, "['a','b','c']").plan(uncounted).isComplete())
                .isTrue();
        assertThat(text(question(Endpoint.V1_EMBEDDINGS, "['x','x']")
                        .plan(counted)
                        .join(null, 5)))
                .isEqualTo("{'object':'list','data':["
                        + "{'object':'embedding','embedding':[7],'index':0},"
                        + "{'object':'embedding','embedding':[7],'index':1}],"
                        + "'model':'m','usage':{'prompt_tokens':4,'total_tokens':4}}\n");
    }

    @Test
    void openAisFormAsksTwiceForWhatItCouldNotCountOtherwise() {
        Map<CacheKey, EmbedPart> none = Map.of();

        assertThat(question(Endpoint.V1_EMBEDDINGS, "['a','b','a']").plan(none).input())
                .isEqualTo("[\"a\",\"b\",\"a\"]");
        assertThat(question(Endpoint.V1_EMBEDDINGS, "['a','a']").plan(none).input())
                .isEqualTo("[\"a\"]");
        assertThat(question(Endpoint.V1_EMBEDDINGS, "['a','a']")
                        .plan(none)
                        .join(answer(Endpoint.V1_EMBEDDINGS, BASE64.replaceFirst(",'usage.*\\}\\}", "}"), 1), 0))
                .isNull();
    }

    @Test
    void base64StaysBase64() {
        EmbedPart part = answer(Endpoint.V1_EMBEDDINGS, BASE64, 1).parts().get(0);

        assertThat(entry(part).endpoint()).isEqualTo(Endpoint.V1_EMBEDDINGS);
        assertThat(text(entry(part).body())).isEqualTo(BASE64);
        assertThat(text(question(Endpoint.V1_EMBEDDINGS, "'a'")
                        .plan(kept(Endpoint.V1_EMBEDDINGS, "'a'", BASE64))
                        .join(null, 0)))
                .isEqualTo(BASE64);
    }

    @Test
    void anEntryIsAnAnswerToOneInput() {
        EmbedPart alone = answer(Endpoint.EMBED, "{'model':'m','embeddings':[[1]],'prompt_eval_count':3}", 1)
                .parts()
                .get(0);
        EmbedPart among = answer(Endpoint.V1_EMBEDDINGS, OPEN_AIS, 3).parts().get(2);

        assertThat(entry(alone).endpoint()).isEqualTo(Endpoint.EMBED);
        assertThat(entry(alone).form()).isEqualTo(Form.WHOLE);
        assertThat(entry(alone).contentType()).isEqualTo("application/json; charset=utf-8");
        assertThat(entry(alone).origin()).isEqualTo(new Origin("m", 1, 2));
        assertThat(entry(alone).tokens()).isEqualTo(3);
        assertThat(entry(among).tokens()).isEqualTo(-1);
        assertThat(text(entry(alone).body())).isEqualTo("{'model':'m','embeddings':[[1]],'prompt_eval_count':3}");
        assertThat(entry(among).endpoint()).isEqualTo(Endpoint.EMBED);
        assertThat(text(entry(among).body())).isEqualTo("{'model':'m','embeddings':[[0.25,1]]}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'model':'m','embeddings':[[1,2]],'prompt_eval_count':3}",
                "{'model':'q\\'','embeddings':[[1,2]],'prompt_eval_count':3}",
                "{'model':'m','embeddings':[ [1,2] ],'prompt_eval_count':3}",
                "{'model':'m','embeddings':[[1,2]],'total_duration':7,'prompt_eval_count':3}",
                "{'prompt_eval_count':3,'embeddings':[[1,2]],'model':'m'}"
            })
    void anEntryIsReadHoweverItIsWritten(String body) {
        EmbedPart part = Objects.requireNonNull(EmbedPart.read(Endpoint.EMBED, json(body)), body);

        assertThat(text(entry(part).body())).isEqualTo("{'model':'m','embeddings':[[1,2]],'prompt_eval_count':3}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "{'model':",
                "{'model':'m",
                "{'model':'m'",
                "{'model':'m','embeddings':[",
                "{'model':'m','embeddings':[[1",
                "{'model':'m','embeddings':[[1]]",
                "{'model':'m','embeddings':[]}",
                "{'model':'m','embeddings':[[1],[2]]}",
                "{'model':'m','embeddings':[[1]],'prompt_eval_count':",
                "{'model':'m','embeddings':[[1]],'prompt_eval_count':}",
                "{'model':'m','embeddings':[[1]],'prompt_eval_count':3",
                "{'model':'m','embeddings':[[1]],'prompt_eval_count':x}",
                "{'model':'m','embeddings':[[1]],'prompt_eval_count':3}}"
            })
    void whatIsNoEntryIsNotRead(String body) {
        assertThat(EmbedPart.read(Endpoint.EMBED, json(body))).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'error':'no'}",
                "{'model':'m'}",
                "{'model':'m','embeddings':null}",
                "{'model':'m','embeddings':[]}",
                "{'model':'m','embeddings':[[1]]}",
                "{'model':'m','embeddings':[[1],[2],[3]]}",
                "{'model':'m','embeddings':[[1],[]]}",
                "{'model':'m','embeddings':[[1],null]}",
                "{'model':'m','embeddings':[[1],['2']]}",
                "{'model':'m','embeddings':[[1],'zczMPQ==']}",
                "{'model':'m','embeddings':[[1],[[2]]]}",
                "{'model':'m','embeddings':[[1],[2]]",
                "{'model':'m','embeddings':[[1],[2]]} {}",
                "{'model':'m','embeddings':[[1],[2]],'embeddings':[[1],[2]]}",
                "{'model':'m','embeddings':[[1],[2]],'error':'late'}",
                "{'model':'m','embeddings':[[1],[2]],'prompt_eval_count':'3'}",
                "{'model':'m','embeddings':[[1],[2]],'prompt_eval_count':99999999999999999999}",
                "[[1],[2]]"
            })
    void whatIsNoGoodAnswerIsNotSplit(String body) {
        assertThat(split(Endpoint.EMBED, body, 2)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'object':'list','data':null}",
                "{'object':'list','data':[{'embedding':[1],'index':0}]}",
                "{'object':'list','data':[{'embedding':[1],'index':0},{'embedding':[2],'index':0}]}",
                "{'object':'list','data':[{'embedding':[1],'index':0},{'embedding':[2],'index':2}]}",
                "{'object':'list','data':[{'embedding':[1],'index':-1},{'embedding':[2],'index':1}]}",
                "{'object':'list','data':[{'embedding':[1]},{'embedding':[2],'index':1}]}",
                "{'object':'list','data':[{'index':0},{'embedding':[2],'index':1}]}",
                "{'object':'list','data':[{'embedding':'','index':0},{'embedding':[2],'index':1}]}",
                "{'object':'list','data':[{'embedding':[1],'index':0},{'embedding':[2],'index':1}],'usage':7}",
                "{'error':{'message':'no'}}"
            })
    void norIsOneInOpenAisForm(String body) {
        assertThat(split(Endpoint.V1_EMBEDDINGS, body, 2)).isNull();
    }

    @Test
    void norIsThePieceOfOne() {
        for (String whole : new String[] {OLLAMAS, OPEN_AIS.strip()}) {
            Endpoint endpoint = whole.equals(OLLAMAS) ? Endpoint.EMBED : Endpoint.V1_EMBEDDINGS;
            byte[] body = json(whole);

            assertThat(EmbedAnswer.split(endpoint, body, 3)).isNotNull();
            for (int length = 0; length < body.length; length++) {
                assertThat(EmbedAnswer.split(endpoint, Arrays.copyOf(body, length), 3))
                        .isNull();
            }
        }
    }

    @Test
    void theIndexTellsTheOrder() {
        EmbedAnswer answer = answer(
                Endpoint.V1_EMBEDDINGS,
                "{'object':'list','data':[{'index':1,'embedding':[2]},{'embedding':[1],'index':0}],'later':{'a':[]}}",
                2);

        assertThat(text(question(Endpoint.EMBED, "['a','b']").plan(Map.of()).join(answer, 0)))
                .isEqualTo("{'model':'m','embeddings':[[1],[2]]}");
    }

    @Test
    void anAnswerToSomethingElseIsRefused() {
        EmbedPlan plan = question(Endpoint.EMBED, "['a','b']").plan(Map.of());

        assertThatThrownBy(() -> plan.join(answer(Endpoint.EMBED, OLLAMAS, 3), 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("3 vectors (expected: 2)");
        assertThatThrownBy(() -> plan.join(null, 0)).hasMessage("0 vectors (expected: 2)");
    }
}
