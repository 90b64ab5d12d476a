package io.drover.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DiscoveryNameTest {
    @ParameterizedTest
    @ValueSource(
            strings = {"ollama:11434", "ollama.example.org.:1", "10.0.0.1:65535", "[fd00::1]:80", "größe.example:80"})
    void hostAndPort(String text) {
        DiscoveryName name = DiscoveryName.parse(text);

        assertThat(name.isService()).isFalse();
        assertThat(name).hasToString(text);
    }

    @Test
    void bracketsAreNoPartOfAnAddress() {
        assertThat(DiscoveryName.parse("[fd00::1]:80")).isEqualTo(new DiscoveryName("fd00::1", 80));
    }

    @Test
    void service() {
        DiscoveryName name = DiscoveryName.parse("_ollama._tcp.example.org");

        assertThat(name.isService()).isTrue();
        assertThat(name).isEqualTo(new DiscoveryName("_ollama._tcp.example.org", 0));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "ollama",
                ":80",
                "ollama:",
                "ollama:0",
                "ollama:65536",
                "ollama:+80",
                "ollama:٨٠",
                "ollama:http",
                "http://ollama:80",
                "fd00::1:80",
                "[fd00::1]",
                "[ollama]:80",
                "a..b:80",
                ".:80",
                "a b:80",
                "_ollama._tcp.example.org:80",
                "0123456789012345678901234567890123456789012345678901234567890123:80"
            })
    void anythingElseIsRefusedWithWhatWasExpected(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DiscoveryName.parse(text))
                .withMessage(
                        "\"%s\" (expected: host:port with a port from 1 to 65535, or a service such as"
                                + " _ollama._tcp.example.org)",
                        text);
    }
}
