package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.Cidr;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whose word about the client is taken, and what is made of it. */
class ClientAddressTest {
    private static final List<Cidr> TRUSTED = List.of(
            new Cidr(address("10.0.0.0"), 8), new Cidr(address("fd00::"), 8), new Cidr(address("192.0.2.7"), 32));

    private static final Peer PEER = new Peer(address("192.0.2.99"), "peer", null);

    @ParameterizedTest(name = "{0} -> {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "203.0.113.9 | 203.0.113.9",
                "203.0.113.9, 10.1.2.3 | 203.0.113.9",
                "1.1.1.1, 203.0.113.9, 10.1.2.3, 192.0.2.7 | 203.0.113.9",
                "10.9.9.9, 10.1.2.3 | 10.9.9.9",
                "203.0.113.9,10.1.2.3,fd00::1 | 203.0.113.9",
                "2001:db8::1, fd00::1 | 2001:db8:0:0:0:0:0:1",
                "::ffff:203.0.113.9 | 203.0.113.9",
                "::ffff:10.1.1.1 | 10.1.1.1",
                "192.0.2.8, 192.0.2.7 | 192.0.2.8",
                "203.0.113.9,\t10.1.2.3 | 203.0.113.9",
                // What is no address ends the walk: behind it anybody may have written anything.
                "203.0.113.9, unknown | peer",
                "203.0.113.9, unknown, 10.1.2.3 | 10.1.2.3",
                "203.0.113.9, , 10.1.2.3 | 10.1.2.3",
                "203.0.113.9, 10.1.2.3, | peer",
                ", | peer",
                "_hidden | peer",
                "203.0.113.9:1234 | peer",
                "203.0.113.9\" | peer",
                "999.1.1.1 | peer",
                "1.2.3 | peer",
                "<script> | peer"
            })
    void theLastUntrustedAddressIsTheClient(String list, String client) {
        assertThat(ClientAddress.client(list, PEER, TRUSTED).text()).isEqualTo(client);
    }

    @Test
    void anEmptyListSaysNothing() {
        assertThat(ClientAddress.client("", PEER, TRUSTED)).isSameAs(PEER);
    }

    @Test
    void onlyConfiguredNetworksAreTrusted() {
        assertThat(ClientAddress.isTrusted(address("10.255.0.1"), TRUSTED)).isTrue();
        assertThat(ClientAddress.isTrusted(address("11.0.0.1"), TRUSTED)).isFalse();
        assertThat(ClientAddress.isTrusted(address("192.0.2.6"), TRUSTED)).isFalse();
        assertThat(ClientAddress.isTrusted(address("fd12::1"), TRUSTED)).isTrue();
        assertThat(ClientAddress.isTrusted(address("fc00::1"), TRUSTED)).isFalse();
        assertThat(ClientAddress.isTrusted(address("10.255.0.1"), List.of())).isFalse();
        assertThat(ClientAddress.isTrusted(null, TRUSTED)).isFalse();
    }

    @Test
    void allFieldsMakeOneList() {
        assertThat(ClientAddress.forwardedFor(Heads.of("Host: h"))).isNull();
        assertThat(ClientAddress.forwardedFor(Heads.of("X-Forwarded-For:"))).isNull();
        assertThat(ClientAddress.forwardedFor(Heads.of("X-Forwarded-For: a"))).isEqualTo("a");
        assertThat(ClientAddress.forwardedFor(
                        Heads.of("X-Forwarded-For: a, b", "Host: h", "x-forwarded-for:c", "X-FORWARDED-FOR: d ")))
                .isEqualTo("a, b, c, d");
        assertThat(ClientAddress.forwardedFor(Heads.of("X-Forwarded-For:", "X-Forwarded-For: a")))
                .isEqualTo("a");
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByAddress(Objects.requireNonNull(NetUtil.createByteArrayFromIpAddressString(text)));
        } catch (UnknownHostException e) {
            throw new AssertionError(text, e);
        }
    }
}
