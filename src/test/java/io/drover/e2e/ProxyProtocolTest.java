package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Drover;
import io.drover.testing.Engine;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who a client is when its connection begins with a header of the PROXY protocol. 127.0.0.1 is trusted here. */
class ProxyProtocolTest {
    private static final String REQUEST = "GET /api/tags HTTP/1.1\r\nHost: a\r\n\r\n";
    private static final String V1 = "PROXY TCP4 203.0.113.9 192.0.2.1 56324 80\r\n";

    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";
    private static final String PORTS = "dc040050";
    private static final String IPV4 = "cb007109" + "c0000201" + PORTS;
    private static final String IPV6 = "20010db8000000000000000000000001" + "fd000000000000000000000000000001" + PORTS;
    private static final String TLVS = "030004" + "deadbeef" + "200005" + "0100000000" + "e00002" + "abcd";

    private RawBackend backend;

    @BeforeEach
    void start() throws Exception {
        // Answers who it was told that asks.
        backend = RawBackend.start(connection -> {
            while (connection.hasMore()) {
                RawBackend.Request request = connection.readRequest();
                connection.answer(request.header("X-Real-IP") + " by " + request.header("X-Forwarded-For"));
            }
        });
    }

    @AfterEach
    void stop() throws Exception {
        backend.close();
    }

    private Drover.Setup drover() {
        return Drover.over(backend.url()).set("proxy-protocol", "true").set("limits.trusted-proxies", "127.0.0.1");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** @param more addresses and the like, in hexadecimal digits */
    private static byte[] v2(int commandAndVersion, int family, String more) {
        return HexFormat.of()
                .parseHex(
                        SIGNATURE + String.format("%02x%02x%04x", commandAndVersion, family, more.length() / 2) + more);
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static String asked(Drover drover, byte[] header) {
        try (RawClient client = drover.connect()) {
            return client.send(join(header, ascii(REQUEST))).readResponse().body();
        }
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void aHeaderMayComeInAnyPieces(Engine engine) {
        try (Drover drover = drover().on(engine).start()) {
            int requests = 0;
            for (byte[] header : new byte[][] {ascii(V1), v2(0x21, 0x11, IPV4 + TLVS)}) {
                byte[] all = join(header, ascii(REQUEST));
                for (int at = 1; at < all.length; at++) {
                    try (RawClient client = drover.connect()) {
                        client.send(Arrays.copyOf(all, at)).send(Arrays.copyOfRange(all, at, all.length));
                        assertThat(client.readResponse().body()).isEqualTo("203.0.113.9 by 203.0.113.9");
                    }
                    requests++;
                }
                try (RawClient client = drover.connect()) {
                    for (byte b : all) {
                        client.send(new byte[] {b});
                    }
                    assertThat(client.readResponse().body()).isEqualTo("203.0.113.9 by 203.0.113.9");
                }
                requests++;
            }
            drover.drained(requests);
            assertThat(drover.metric("drover_proxy_protocol_refused_total")).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void pipelinedRequestsBehindItInOnePieceAreAllThatClients(Engine engine) {
        try (Drover drover = drover().on(engine).start();
                RawClient client = drover.connect()) {
            client.send(join(ascii(V1), ascii(REQUEST.repeat(3))));
            for (int i = 0; i < 3; i++) {
                assertThat(client.readResponse().body()).isEqualTo("203.0.113.9 by 203.0.113.9");
            }
            // A header is taken once: a second one is a malformed request.
            client.send(V1 + REQUEST);
            assertThat(client.readResponse().status()).isEqualTo(400);
            client.expectClosed();
            assertThat(drover.log(4))
                    .allSatisfy(line -> assertThat(line.get("client")).isEqualTo("203.0.113.9"));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        PROXY TCP4 203.0.113.9 192.0.2.1 56324 80                                  | 203.0.113.9
        PROXY TCP6 2001:db8::1 fd00::1 56324 80                                    | 2001:db8:0:0:0:0:0:1
        PROXY TCP6 ::ffff:203.0.113.9 ::ffff:192.0.2.1 56324 80                    | 203.0.113.9
        PROXY UNKNOWN                                                              | 127.0.0.1
        PROXY UNKNOWN 2001:db8::1 fd00::1 65535 65535                              | 127.0.0.1
        """)
    void versionOneNamesTheClient(String header, String client) {
        try (Drover drover = drover().start()) {
            assertThat(asked(drover, ascii(header + "\r\n"))).isEqualTo(client + " by " + client);
            assertThat(drover.logged().get("client")).isEqualTo(client);
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        IPv4                  | 21 | 11 | IPV4     | 203.0.113.9
        IPv4 and more         | 21 | 11 | IPV4TLVS | 203.0.113.9
        IPv6                  | 21 | 21 | IPV6     | 2001:db8:0:0:0:0:0:1
        IPv6 and more         | 21 | 21 | IPV6TLVS | 2001:db8:0:0:0:0:0:1
        UDP                   | 21 | 12 | IPV4     | 127.0.0.1
        a file's name         | 21 | 31 | UNIX     | 127.0.0.1
        unspecified           | 21 | 00 |          | 127.0.0.1
        unspecified and more  | 21 | 00 | TLVS     | 127.0.0.1
        its own check         | 20 | 00 |          | 127.0.0.1
        its own, with address | 20 | 11 | IPV4     | 127.0.0.1
        """)
    void versionTwoNamesTheClient(String name, String command, String family, String more, String client) {
        String bytes = more == null
                ? ""
                : more.replace("IPV4", IPV4)
                        .replace("IPV6", IPV6)
                        .replace("UNIX", "2f61".repeat(108))
                        .replace("TLVS", TLVS);
        byte[] header = v2(Integer.parseInt(command, 16), Integer.parseInt(family, 16), bytes);
        try (Drover drover = drover().start()) {
            assertThat(asked(drover, header)).as(name).isEqualTo(client + " by " + client);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aSenderThatIsNotTrustedIsNotBelieved(boolean second) {
        byte[] header = second ? v2(0x21, 0x11, IPV4) : ascii(V1);
        try (Drover drover = drover().start();
                RawClient stranger = RawClient.connectFrom("127.0.0.2", drover.address())) {
            stranger.send(join(header, ascii(REQUEST)));
            assertThat(stranger.readResponse().body()).isEqualTo("127.0.0.2 by 127.0.0.2");
        }
    }

    @Test
    void forwardedForOfTheClientCountsOnlyIfThatIsTrustedToo() {
        String request = "GET /api/tags HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n";
        try (Drover drover = drover().start();
                RawClient client = drover.connect()) {
            client.send(V1 + request);
            assertThat(client.readResponse().body()).isEqualTo("203.0.113.9 by 203.0.113.9");
        }
        try (Drover drover = drover().set("limits.trusted-proxies", "127.0.0.1,203.0.113.9")
                        .start();
                RawClient client = drover.connect()) {
            client.send(V1 + request);
            assertThat(client.readResponse().body()).isEqualTo("198.51.100.7 by 198.51.100.7, 203.0.113.9");
        }
    }

    @Test
    void limitsAndListsGoByTheClient() {
        try (Drover drover = drover().set("limits.requests.rate", "1/h")
                .set("limits.requests.burst", "1")
                .set("access.deny", "203.0.113.66")
                .start()) {
            String[] clients = {"203.0.113.9", "203.0.113.9", "203.0.113.10", "203.0.113.66"};
            int[] statuses = {200, 429, 200, 403};
            for (int i = 0; i < clients.length; i++) {
                try (RawClient client = drover.connect()) {
                    client.send(V1.replace("203.0.113.9", clients[i]) + REQUEST);
                    assertThat(client.readResponse().status()).isEqualTo(statuses[i]);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.drover.testing.Engine#all")
    void withoutAHeaderTheConnectionEnds(Engine engine) {
        try (Drover drover = drover().on(engine).start();
                RawClient client = drover.connect()) {
            client.send(REQUEST);
            client.expectClosed();
            expectCountedOnce(drover);
            drover.drained(0);
        }
        assertThat(backend.requests()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PROXY TCP4 203.0.113.999 192.0.2.1 56324 80\r\n",
                "PROXY TCP4 203.0.113.9 192.0.2.1 56324 65536\r\n",
                "PROXY TCP4 203.0.113.9 192.0.2.1 56324\r\n",
                "PROXY TCP4 203.0.113.9  192.0.2.1 56324 80\r\n",
                "PROXY TCP4 2001:db8::1 fd00::1 56324 80\r\n",
                "PROXY TCP6 203.0.113.9 192.0.2.1 56324 80\r\n",
                "PROXY TCP5 203.0.113.9 192.0.2.1 56324 80\r\n",
                "PROXY TCP4 gpu1 gpu2 56324 80\r\n",
                "proxy TCP4 203.0.113.9 192.0.2.1 56324 80\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003 and so on, a TLS client\r\n"
            })
    void whatIsNoHeaderEndsTheConnection(String garbage) {
        expectRefused(join(ascii(garbage), ascii(REQUEST)));
    }

    @Test
    void aLineWithoutEndEndsTheConnection() {
        expectRefused(ascii("PROXY TCP4 " + "1".repeat(200)));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        version 3               | 31 | 11 | IPV4
        version 0               | 01 | 11 | IPV4
        version 15              | ff | 11 | IPV4
        an unknown command      | 22 | 11 | IPV4
        an unknown family       | 21 | 41 | IPV4
        an unknown transport    | 21 | 13 | IPV4
        half an IPv4 address    | 21 | 11 | cb00
        IPv6 of IPv4 addresses  | 21 | 21 | IPV4
        """)
    void aBrokenVersionTwoEndsTheConnection(String name, String command, String family, String more) {
        byte[] header = v2(Integer.parseInt(command, 16), Integer.parseInt(family, 16), more.replace("IPV4", IPV4));
        expectRefused(join(header, ascii(REQUEST)));
    }

    @Test
    void moreThanFourKibibytesAreNoHeader() {
        expectRefused(v2(0x21, 0x11, IPV4 + "e0" + "1000" + "00".repeat(0x1000)));
        String most = IPV4 + "e0" + "0e00" + "00".repeat(0x0e00);
        try (Drover drover = drover().start()) {
            assertThat(asked(drover, v2(0x21, 0x11, most))).isEqualTo("203.0.113.9 by 203.0.113.9");
        }
    }

    /** Netty's decoder closes a moment before it tells why. */
    private static void expectCountedOnce(Drover drover) {
        Drover.await("counted", () -> drover.metric("drover_proxy_protocol_refused_total") > 0);
        assertThat(drover.metric("drover_proxy_protocol_refused_total")).isEqualTo(1);
    }

    private void expectRefused(byte[] bytes) {
        try (Drover drover = drover().start();
                RawClient client = drover.connect()) {
            client.send(bytes);
            client.expectClosed();
            expectCountedOnce(drover);
            drover.drained(0);
        }
        assertThat(backend.requests()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "P", "PROXY TCP4 203.0.113.9", "\r\n\r\n", V1})
    void aHeaderHasTheTimeOfARequestsHead(String start) {
        try (Drover drover = drover().set("timeouts.request-head", "200ms").start();
                RawClient client = drover.connect()) {
            client.send(start);
            client.expectClosed();
            drover.drained(0);
        }
    }

    @Test
    void aSenderThatGoesWithoutAWordIsNoError() {
        try (Drover drover = drover().start()) {
            RawClient client = drover.connect();
            Drover.await("connected", () -> drover.openClients() == 1);
            client.hangUp();
            drover.drained(0);
            assertThat(drover.metric("drover_proxy_protocol_refused_total")).isZero();
        }
    }

    @Test
    void withoutTheProtocolAHeaderIsAMalformedRequest() {
        try (Drover drover = Drover.over(backend.url()).start();
                RawClient client = drover.connect()) {
            assertThat(client.send(V1 + REQUEST).readResponse().status()).isEqualTo(400);
        }
    }
}
