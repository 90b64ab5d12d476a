package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouteTableTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    @ParameterizedTest
    @CsvSource({
        "POST, /api/generate, GENERATE",
        "POST, /api/chat, CHAT",
        "POST, /api/embed, EMBED",
        "POST, /api/embeddings, EMBEDDINGS",
        "POST, /v1/chat/completions, V1_CHAT_COMPLETIONS",
        "POST, /v1/completions, V1_COMPLETIONS",
        "POST, /v1/embeddings, V1_EMBEDDINGS",
        "POST, /v1/responses, V1_RESPONSES",
        "POST, /v1/messages, V1_MESSAGES",
        "POST, /v1/audio/transcriptions, V1_TRANSCRIPTIONS",
        "GET, /, ROOT",
        "HEAD, /, ROOT",
        "GET, /api/version, VERSION",
        "HEAD, /api/version, VERSION",
        "GET, /api/status, STATUS",
        "GET, /api/ps, PS",
        "GET, /api/tags, TAGS",
        "HEAD, /api/tags, TAGS",
        "POST, /api/show, SHOW",
        "POST, /api/pull, PULL",
        "POST, /api/push, PUSH",
        "POST, /api/create, CREATE",
        "POST, /api/copy, COPY",
        "DELETE, /api/delete, DELETE",
        "POST, /api/me, ME",
        "POST, /api/signout, SIGNOUT",
        "DELETE, /api/user/keys/abc, USER_KEYS",
        "POST, /api/experimental/web_search, WEB_SEARCH",
        "POST, /api/experimental/web_fetch, WEB_FETCH",
        "GET, /api/experimental/model-recommendations, RECOMMENDATIONS",
        "GET, /v1/models, V1_MODELS",
        "GET, /v1/models/llama3.2:latest, V1_MODEL",
        "GET, /health, HEALTH",
        "HEAD, /health, HEALTH",
        "GET, /ready, READY",
        "HEAD, /ready, READY",
    })
    void knowsEveryRoute(String method, String path, Endpoint expected) {
        assertThat(match(method, path)).isEqualTo(expected);
    }

    @Test
    void knowsBlobsByAnyDigest() {
        assertThat(match("HEAD", "/api/blobs/" + DIGEST)).isEqualTo(Endpoint.BLOBS);
        assertThat(match("POST", "/api/blobs/" + DIGEST)).isEqualTo(Endpoint.BLOBS);
        assertThat(match("POST", "/api/blobs/x")).isEqualTo(Endpoint.BLOBS);
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /api/chat, OTHER",
        "post, /api/chat, OTHER",
        "POSTX, /api/chat, OTHER",
        "POST, /api/chat/, OTHER",
        "POST, /api/cha, OTHER",
        "POST, /api/chats, OTHER",
        "POST, /API/chat, OTHER",
        "POST, //api/chat, OTHER",
        "POST, /api/blobs/, OTHER",
        "POST, /api/blobs, OTHER",
        "POST, /api/blobs/a/b, OTHER",
        "POST, /api/blobs/.., OTHER",
        "POST, /health, OTHER",
        "GET, /healthy, OTHER",
        "OPTIONS, *, OTHER",
        "GET, /api/debug/, OTHER",
        "GET, /debugger, OTHER",
        "GET, /v1, OTHER",
        "GET, /v1/, OTHER_OPENAI",
        "GET, /v1/models/a/b, OTHER_OPENAI",
        "GET, /v1/models/a%2Fb, OTHER_OPENAI",
        "GET, /v1/models/.., OTHER_OPENAI",
        "GET, /v1/messagesx, OTHER_OPENAI",
        "POST, /v1/images/generations, OTHER_OPENAI",
        "GET, /v1/messages, OTHER_ANTHROPIC",
        "POST, /v1/messages/, OTHER_ANTHROPIC",
        "POST, /v1/messages/count_tokens, OTHER_ANTHROPIC",
    })
    void givesAnythingElseTheFamilyOfItsPath(String method, String path, Endpoint expected) {
        assertThat(match(method, path)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/debug",
                "/debug/",
                "/debug/pprof/heap",
                "//debug/",
                "///debug/pprof",
                "/./debug/",
                "/x/../debug/",
                "/x/y/../../debug/pprof",
                "/../debug/",
                "/../../debug/",
                "/debug/../api/tags",
                "/%64ebug/",
                "/%64%65%62%75%67/pprof",
                "/%2e/debug/",
                "/x/%2E%2e/debug/",
                "/x%2f..%2fdebug%2Fpprof",
                "/%2Fdebug/",
                "/api/blobs/..%2f..%2fdebug/",
                "/api/blobs/../../debug/",
                "/v1/models/..%2f..%2f..%2fdebug",
            })
    void blocksDebugHoweverItIsSpelled(String path) {
        assertThat(match("GET", path)).isEqualTo(Endpoint.BLOCKED);
        assertThat(match("POST", path)).isEqualTo(Endpoint.BLOCKED);
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /api/%70ull, PULL",
        "POST, /%61pi/chat, CHAT",
        "GET, /v1/models/llama3.2%3Alatest, V1_MODEL",
        "POST, /api/chat%, OTHER",
        "POST, /api/chat%4, OTHER",
        "POST, /api/cha%zz, OTHER",
        "POST, /api/cha%2574, OTHER",
    })
    void decodesAPathOnceAsOllamasRouterDoes(String method, String path, Endpoint expected) {
        assertThat(match(method, path)).isEqualTo(expected);
    }

    @Test
    void anEmptyPathIsUnknown() {
        assertThat(match("GET", "")).isEqualTo(Endpoint.OTHER);
    }

    @Test
    void readsNothingOutsideMethodAndPath() {
        byte[] line = "xPOST /api/chat?stream=/debug/ HTTP/1.1".getBytes(StandardCharsets.ISO_8859_1);

        assertThat(RouteTable.match(line, 1, 4, 6, 9)).isEqualTo(Endpoint.CHAT);
    }

    @Test
    void bytesBeyondAsciiAreUnknown() {
        assertThat(match("GET", "/\u00ff\u0080")).isEqualTo(Endpoint.OTHER);
    }

    @Test
    void whatNeedsAModelIsReplayedAndRetainedAndInferenceAloneIsCached() {
        Set<Endpoint> inference = EnumSet.of(
                Endpoint.GENERATE,
                Endpoint.CHAT,
                Endpoint.EMBED,
                Endpoint.EMBEDDINGS,
                Endpoint.V1_CHAT_COMPLETIONS,
                Endpoint.V1_COMPLETIONS,
                Endpoint.V1_EMBEDDINGS,
                Endpoint.V1_RESPONSES,
                Endpoint.V1_MESSAGES,
                Endpoint.V1_TRANSCRIPTIONS);

        assertThat(Arrays.stream(Endpoint.values()).filter(Endpoint::inference)).hasSameElementsAs(inference);
        Set<Endpoint> needing = EnumSet.copyOf(inference);
        needing.addAll(List.of(Endpoint.SHOW, Endpoint.V1_MODEL));
        assertThat(Arrays.stream(Endpoint.values()).filter(Endpoint::needsModel))
                .hasSameElementsAs(needing);
        assertThat(Arrays.stream(Endpoint.values()).filter(Endpoint::replayable))
                .hasSameElementsAs(needing);
        assertThat(Arrays.stream(Endpoint.values()).filter(Endpoint::retained)).hasSameElementsAs(needing);
        assertThat(Arrays.stream(Endpoint.values()).filter(Endpoint::cacheable)).hasSameElementsAs(inference);
    }

    @Test
    void onlyModelTransfersAreUnhurriedAndOnlyBlobsUnlimited() {
        assertThat(Arrays.stream(Endpoint.values()).filter(Endpoint::unhurried))
                .containsExactlyInAnyOrder(Endpoint.PULL, Endpoint.PUSH, Endpoint.CREATE, Endpoint.BLOBS);
        assertThat(Arrays.stream(Endpoint.values()).filter(e -> !e.bodyLimited()))
                .containsExactly(Endpoint.BLOBS);
    }

    @Test
    void labelsAndFamiliesFollowThePath() {
        assertThat(Endpoint.CHAT.label()).isEqualTo("/api/chat");
        assertThat(Endpoint.BLOBS.label()).isEqualTo("/api/blobs");
        assertThat(Endpoint.V1_MODEL.label()).isEqualTo("/v1/models");
        assertThat(Endpoint.OTHER_OPENAI.label()).isEqualTo("other");
        assertThat(Endpoint.BLOCKED.label()).isEqualTo("other");
        assertThat(Endpoint.V1_MESSAGES.family()).isEqualTo(ApiFamily.ANTHROPIC);
        assertThat(Endpoint.V1_RESPONSES.family()).isEqualTo(ApiFamily.OPENAI);
        assertThat(Endpoint.EMBED.family()).isEqualTo(ApiFamily.OLLAMA);
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/models/llama3.2:1b, llama3.2:1b",
        "/v1/models/llama3.2%3A1b, llama3.2:1b",
        "/v1/models/%zz%4, %zz%4",
        "/v1/models/%C3%BC, ü",
    })
    void theLastSegmentIsDecoded(String path, String segment) {
        byte[] line = ("GET " + path + " HTTP/1.1").getBytes(StandardCharsets.ISO_8859_1);
        assertThat(RouteTable.lastSegment(line, 4, path.length())).isEqualTo(segment);
    }

    private static Endpoint match(String method, String path) {
        byte[] line = (method + ' ' + path + " HTTP/1.1").getBytes(StandardCharsets.ISO_8859_1);
        return RouteTable.match(line, 0, method.length(), method.length() + 1, path.length());
    }
}
