package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is passed on of a head in either direction, what is added, and what never is. */
class HeadersTest {
    private static final String HEAD_ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n";

    private static final String ANSWER = String.join(
            "\r\n",
            "HTTP/1.1 200 OK",
            "Connection: X-Hop, keep-alive",
            "X-Hop: 1",
            "Keep-Alive: timeout=5",
            "Access-Control-Allow-Origin: *",
            "X-Drover-Backend: forged",
            "X-Request-Id: forged",
            "X-Kept: yes",
            "Content-Length: 2",
            "",
            "ok");

    private RawBackend backend;
    private Drover drover;

    @BeforeEach
    void start() throws Exception {
        backend = RawBackend.start(connection -> {
            while (connection.hasMore()) {
                RawBackend.Request request = connection.readRequest();
                connection.send(request.startLine().startsWith("HEAD") ? HEAD_ANSWER : ANSWER);
            }
        });
        drover = Drover.over(backend.url()).start();
    }

    @AfterEach
    void stop() throws Exception {
        drover.close();
        backend.close();
    }

    private RawBackend.Request last() {
        List<RawBackend.Request> all = backend.requests();
        return all.get(all.size() - 1);
    }

    @Test
    void secretsAndHopsStayHere() {
        RawClient.Response response = drover.exchange(
                "GET",
                "/api/tags?x=1",
                "",
                "Authorization: Bearer secret",
                "Cookie: a=b",
                "X-Api-Key: secret",
                "Connection: X-Private, keep-alive",
                "X-Private: 1",
                "Keep-Alive: 5",
                "Proxy-Authorization: x",
                "TE: trailers",
                "Upgrade: h2c",
                "Origin: http://localhost",
                "User-Agent: ollama/0.33",
                "X-Kept: yes");
        assertThat(response.status()).isEqualTo(200);
        RawBackend.Request seen = last();
        assertThat(seen.startLine()).isEqualTo("GET /api/tags?x=1 HTTP/1.1");
        for (String name : List.of(
                "Authorization",
                "Cookie",
                "X-Api-Key",
                "X-Private",
                "Keep-Alive",
                "Connection",
                "Proxy-Authorization",
                "TE",
                "Upgrade",
                "Origin")) {
            assertThat(seen.all(name)).as(name).isEmpty();
        }
        assertThat(seen.header("User-Agent")).isEqualTo("ollama/0.33");
        assertThat(seen.header("X-Kept")).isEqualTo("yes");
        assertThat(seen.all("Host")).containsExactly(backend.url().getAuthority());

        assertThat(response.header("X-Kept")).isEqualTo("yes");
        assertThat(response.head().all("X-Drover-Backend")).containsExactly("a");
        assertThat(response.head().all("Access-Control-Allow-Origin")).containsExactly("http://localhost");
        assertThat(response.head().has("X-Hop")).isFalse();
        assertThat(response.head().has("Keep-Alive")).isFalse();
        assertThat(response.head().all("X-Request-Id")).doesNotContain("forged").hasSize(1);
    }

    @Test
    void aRequestIdIsKeptSentUpstreamLoggedAndReturned() {
        RawClient.Response response = drover.exchange("GET", "/api/tags", "", "X-Request-Id: my-id-1");
        assertThat(response.header("X-Request-Id")).isEqualTo("my-id-1");
        assertThat(last().all("X-Request-Id")).containsExactly("my-id-1");
        assertThat(drover.logged().get("request_id")).isEqualTo("my-id-1");
    }

    @Test
    void withoutOneItIsFresh() {
        String first = drover.exchange("GET", "/api/tags", "").header("X-Request-Id");
        String second = drover.exchange("GET", "/api/tags", "").header("X-Request-Id");
        assertThat(first).hasSize(16).isNotEqualTo(second);
        assertThat(last().header("X-Request-Id")).isEqualTo(second);
    }

    @Test
    void forwardedForOfAStrangerIsReplaced() {
        drover.exchange(
                "GET", "/api/tags", "", "X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https", "Forwarded: for=x");
        assertThat(last().all("X-Forwarded-For")).containsExactly("127.0.0.1");
        assertThat(last().all("X-Forwarded-Proto")).containsExactly("http");
        assertThat(last().all("X-Real-IP")).containsExactly("127.0.0.1");
        assertThat(last().all("Forwarded")).isEmpty();
        assertThat(drover.logged().get("client")).isEqualTo("127.0.0.1");
    }

    @Test
    void forwardedForOfATrustedProxyIsContinued() {
        try (Drover trusting = Drover.over(backend.url())
                .set("limits.trusted-proxies", "127.0.0.0/8,10.0.0.0/8")
                .start()) {
            trusting.exchange("GET", "/api/tags", "", "X-Forwarded-For: 9.9.9.9, 10.1.1.1", "X-Forwarded-Proto: https");
            assertThat(last().all("X-Forwarded-For")).containsExactly("9.9.9.9, 10.1.1.1, 127.0.0.1");
            assertThat(last().all("X-Forwarded-Proto")).containsExactly("https");
            assertThat(last().all("X-Real-IP")).containsExactly("9.9.9.9");
            assertThat(trusting.logged().get("client")).isEqualTo("9.9.9.9");
        }
    }

    @Test
    void anEntryMayHaveItsOwnHostAuthorizationAndNoForwardedHeaders() {
        try (Drover own = Drover.over()
                .backend(
                        backend.url(),
                        "host = \"ollama.internal\", authorization = \"Bearer own\", forwarded-headers = false")
                .start()) {
            own.exchange("GET", "/api/tags", "", "Authorization: Bearer client");
            assertThat(last().all("Host")).containsExactly("ollama.internal");
            assertThat(last().all("Authorization")).containsExactly("Bearer own");
            assertThat(last().all("X-Forwarded-For")).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://herd.local:80", "HTTP://herd.local:80"})
    void anAbsoluteTargetBecomesAPath(String origin) {
        try (RawClient client = drover.connect()) {
            client.send("GET " + origin + "/api/tags?a=b HTTP/1.1\r\nHost: herd.local:80\r\n\r\n");
            assertThat(client.readResponse().status()).isEqualTo(200);
            assertThat(last().startLine()).isEqualTo("GET /api/tags?a=b HTTP/1.1");
            client.send("GET " + origin + " HTTP/1.1\r\nHost: herd.local:80\r\n\r\n");
            assertThat(client.readResponse().status()).isEqualTo(200);
            assertThat(last().startLine()).isEqualTo("GET / HTTP/1.1");
        }
    }

    @Test
    void headHasTheLengthAndNoBody() {
        try (RawClient client = drover.connect()) {
            RawClient.Response head = client.exchange("HEAD", "/", "");
            assertThat(head.header("Content-Length")).isEqualTo("17");
            assertThat(client.exchange("GET", "/", "").body()).isEqualTo("ok");
        }
    }

    @Test
    void aChunkedUploadIsFramedAnewWithoutExtensionsAndTrailers() {
        try (RawClient client = drover.connect()) {
            client.send("PUT /next HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
            client.send("5;ext=\"x\"\r\nhello\r\n0005\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n");
            assertThat(client.readResponse().status()).isEqualTo(200);
            assertThat(last().body()).isEqualTo("helloworld");
            assertThat(last().header("Transfer-Encoding")).isEqualTo("chunked");
            client.send("POST /api/chat HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
            assertThat(client.readResponse().status()).isEqualTo(200);
            assertThat(last().header("Content-Length")).isEqualTo("2");
            assertThat(last().all("Transfer-Encoding")).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/api/chat,            '{\"error\":\"'",
        "/v1/chat/completions, '{\"error\":{\"message\":\"'",
        "/v1/messages,         '{\"type\":\"error\",\"error\":{\"type\":\"'",
        "/v1/next,             '{\"error\":{\"message\":\"'"
    })
    void errorsHaveTheShapeOfTheirFamily(String path, String shape) throws Exception {
        try (Drover nobody = Drover.over(Ports.refusing()).start()) {
            RawClient.Response response = nobody.exchange("POST", path, "{}");
            assertThat(response.status()).isEqualTo(502);
            assertThat(response.header("Content-Type")).contains("application/json");
            assertThat(response.body()).startsWith(shape);
            assertThat(response.head().has("X-Drover-Backend")).isFalse();
        }
    }

    @Test
    void anErrorToHeadHasNoBody() throws Exception {
        try (Drover nobody = Drover.over(Ports.refusing()).start();
                RawClient client = nobody.connect()) {
            assertThat(client.exchange("HEAD", "/", "").status()).isEqualTo(502);
            assertThat(client.exchange("GET", "/health", "").body()).contains("ok");
        }
    }
}
