package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.LogLine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who is let in by address, and what the others are told. */
class AccessListTest {
    private static final String TOLD = "requests from 127.0.0.1 are not allowed (access.allow, access.deny)";

    private RawBackend backend;
    private Drover drover;

    @BeforeEach
    void start() throws Exception {
        backend = RawBackend.start(connection -> {
            while (connection.hasMore()) {
                connection.readRequest();
                connection.answer("{}");
            }
        });
        drover = Drover.over(backend.url())
                .set("limits.trusted-proxies", "127.0.0.1")
                .set("access.allow", "203.0.113.0/24, 2001:db8::/32, 127.0.0.3, 127.0.0.4")
                .set("access.deny", "203.0.113.66, 127.0.0.4")
                .start();
    }

    @AfterEach
    void stop() throws Exception {
        drover.close();
        backend.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
        127.0.0.3 | -                                       | 127.0.0.3              | 200
        127.0.0.2 | -                                       | 127.0.0.2              | 403
        127.0.0.4 | -                                       | 127.0.0.4              | 403
        127.0.0.1 | -                                       | 127.0.0.1              | 403
        127.0.0.1 | 203.0.113.9                             | 203.0.113.9            | 200
        127.0.0.1 | 203.0.113.66                            | 203.0.113.66           | 403
        127.0.0.1 | 198.51.100.1                            | 198.51.100.1           | 403
        127.0.0.1 | 198.51.100.1, 203.0.113.9               | 203.0.113.9            | 200
        127.0.0.1 | 203.0.113.9, 198.51.100.1               | 198.51.100.1           | 403
        127.0.0.1 | 203.0.113.9, 127.0.0.1                  | 203.0.113.9            | 200
        127.0.0.1 | 203.0.113.9, nonsense                   | 127.0.0.1              | 403
        127.0.0.1 | 2001:db8::1                             | 2001:db8:0:0:0:0:0:1   | 200
        127.0.0.1 | 2001:db9::1                             | 2001:db9:0:0:0:0:0:1   | 403
        127.0.0.2 | 203.0.113.9                             | 127.0.0.2              | 403
        127.0.0.3 | 203.0.113.66                            | 127.0.0.3              | 200
        """)
    void theAddressThatCountsDecides(String from, String forwardedFor, String client, int status) {
        String field = forwardedFor == null ? "X-None: 1" : "X-Forwarded-For: " + forwardedFor;
        try (RawClient asking = RawClient.connectFrom(from, drover.address())) {
            assertThat(asking.exchange("GET", "/api/tags", "", field).status()).isEqualTo(status);
        }
        LogLine line = drover.logged();
        assertThat(line.get("client")).isEqualTo(client);
        assertThat(line.get("status")).isEqualTo(Integer.toString(status));
        assertThat(drover.metric("drover_access_refused_total")).isEqualTo(status == 403 ? 1 : 0);
        assertThat(backend.requests()).hasSize(status == 200 ? 1 : 0);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        GET     | /health              | {"error":"TOLD"}
        GET     | /ready               | {"error":"TOLD"}
        POST    | /api/chat            | {"error":"TOLD"}
        POST    | /v1/chat/completions | {"error":{"message":"TOLD","type":"invalid_request_error",
        POST    | /v1/messages         | {"type":"error","error":{"type":"permission_error","message":"TOLD"},
        GET     | /debug/pprof         | {"error":"TOLD"}
        """)
    void nothingIsExemptAndEachIsToldInItsOwnShape(String method, String path, String start) {
        RawClient.Response response = drover.exchange(method, path, method.equals("POST") ? Route.BODY : "");

        assertThat(response.status()).isEqualTo(403);
        assertThat(response.body()).startsWith(start.replace("TOLD", TOLD));
        assertThat(response.header("X-Request-Id")).isNotEmpty();
    }

    @Test
    void aPreflightIsRefusedToo() {
        RawClient.Response response = drover.exchange(
                "OPTIONS", "/api/chat", "", "Origin: http://localhost:3000", "Access-Control-Request-Method: POST");

        assertThat(response.status()).isEqualTo(403);
        // With it the page may at least read why.
        assertThat(response.header("Access-Control-Allow-Origin")).isEqualTo("http://localhost:3000");
    }

    @Test
    void theConnectionServesTheNextRequest() {
        try (RawClient client = drover.connect()) {
            assertThat(client.exchange("POST", "/api/chat", Route.BODY).status())
                    .isEqualTo(403);
            assertThat(client.exchange("GET", "/api/tags", "", "X-Forwarded-For: 203.0.113.9")
                            .status())
                    .isEqualTo(200);
        }
        assertThat(drover.log(2)).extracting(line -> line.get("status")).containsExactly("403", "200");
    }

    @Test
    void aBodyThatIsStillToComeIsNotWaitedFor() {
        try (RawClient client = drover.connect()) {
            client.send("POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{");
            RawClient.Response response = client.readResponse();
            assertThat(response.status()).isEqualTo(403);
            assertThat(response.header("Connection")).isEqualTo("close");
            client.expectClosed();
        }
    }

    @Test
    void aReloadChangesTheLists() {
        try (Drover changing = Drover.over(backend.url()).start()) {
            String herd = "drover.backends = [\"" + backend.url() + "\"]\n";
            assertThat(changing.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
            changing.rewrite(herd + "drover.access.deny = [\"127.0.0.0/8\"]\n");
            assertThat(changing.post("/api/reload").status()).isEqualTo(200);
            assertThat(changing.exchange("GET", "/api/tags", "").status()).isEqualTo(403);
            changing.rewrite(herd);
            assertThat(changing.post("/api/reload").status()).isEqualTo(200);
            assertThat(changing.exchange("GET", "/api/tags", "").status()).isEqualTo(200);
            assertThat(changing.log(3)).extracting(line -> line.get("status")).containsExactly("200", "403", "200");
        }
    }
}
