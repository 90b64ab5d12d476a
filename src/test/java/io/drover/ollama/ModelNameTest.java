package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelNameTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama3.2",
                "LLAMA3.2:latest",
                "library/llama3.2",
                "registry.ollama.ai/library/llama3.2:latest",
                "https://registry.ollama.ai/library/llama3.2",
                "  llama3.2 \n",
                "llama3.2:",
                "llama3.2:local",
                "llama3.2:latest:LOCAL",
            })
    void spellingsOfOneModelShareAKey(String name) {
        assertThat(ModelName.of(name).key()).isEqualTo("registry.ollama.ai/library/llama3.2:latest");
        assertThat(ModelName.of(name).isCloud()).isFalse();
        assertThat(ModelName.of(name).requested()).isEqualTo(name);
    }

    @ParameterizedTest
    @CsvSource({
        "llama3.2, llama3.2:latest",
        "qwen3:8b, qwen3:8b",
        "me/mine, registry.ollama.ai/me/mine:latest",
        "hf.co/User/Repo:Q4_K_M, hf.co/user/repo:q4_k_m",
    })
    void aKeyIsShortenedToWhatPeopleWrite(String name, String shortened) {
        assertThat(ModelName.shortened(ModelName.of(name).key())).isEqualTo(shortened);
    }

    @ParameterizedTest
    @CsvSource({
        "hf.co/User/Repo:Q4_K_M, hf.co/user/repo:q4_k_m",
        "me/mine, registry.ollama.ai/me/mine:latest",
        "localhost:5000/a/b, localhost:5000/a/b:latest",
        "localhost:5000/a/b:c, localhost:5000/a/b:c",
        "mymodel-cloud, registry.ollama.ai/library/mymodel-cloud:latest",
        "host-cloud:80/a/b, host-cloud:80/a/b:latest",
    })
    void fillsInWhatIsMissing(String name, String key) {
        assertThat(ModelName.of(name).key()).isEqualTo(key);
        assertThat(ModelName.of(name).isCloud()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "gpt-oss:120b-cloud, registry.ollama.ai/library/gpt-oss:120b@cloud",
        "GPT-OSS:120b-CLOUD, registry.ollama.ai/library/gpt-oss:120b@cloud",
        "gpt-oss:120b:cloud, registry.ollama.ai/library/gpt-oss:120b@cloud",
        "gpt-oss:cloud, registry.ollama.ai/library/gpt-oss:latest@cloud",
        "gpt-oss:Cloud, registry.ollama.ai/library/gpt-oss:latest@cloud",
    })
    void aCloudModelIsNoLocalOne(String name, String key) {
        assertThat(ModelName.of(name).key()).isEqualTo(key);
        assertThat(ModelName.of(name).isCloud()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", ":", "/", "::", "//", "://", ":cloud", ":local", "-cloud", ":-cloud", "a:b:c", "a b", "@"})
    void anyTextHasAKey(String name) {
        assertThat(ModelName.of(name).key()).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a",
                "llama3.2:1b",
                "HF.co/User_1/Re.po:Q4_K_M",
                "localhost:5000/a/b",
                "gpt-oss:120b-cloud",
                "x:local"
            })
    void aNameThatKeepsToTheGrammarIsValid(String name) {
        assertThat(ModelName.of(name).isValid()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a//b", "-a", "a:b:c", "a.b/c", "a@sha256:0", "ü", "a/b/c/d", "a:-x", "a'"})
    void aNameThatDoesNotIsNot(String name) {
        assertThat(ModelName.of(name).isValid()).isFalse();
    }

    @Test
    void aPartMayBeSoLongOnly() {
        assertThat(ModelName.of("a".repeat(80)).isValid()).isTrue();
        assertThat(ModelName.of("a".repeat(81)).isValid()).isFalse();
    }

    @Test
    void differentModelsDiffer() {
        assertThat(ModelName.of("a:1").key()).isNotEqualTo(ModelName.of("a:2").key());
        assertThat(ModelName.of("a/b").key()).isNotEqualTo(ModelName.of("b").key());
    }
}
