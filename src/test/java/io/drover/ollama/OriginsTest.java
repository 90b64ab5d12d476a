package io.drover.ollama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OriginsTest {
    private static final Origins DEFAULTS = new Origins(List.of());

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://localhost",
                "https://localhost",
                "http://localhost:3000",
                "HTTP://LOCALHOST:3000",
                "https://127.0.0.1:8443",
                "http://0.0.0.0",
                "app://obsidian.md",
                "file://",
                "tauri://localhost",
                "vscode-webview://abc",
                "vscode-file://vscode-app",
            })
    void ollamasDefaultsAreAllowed(String origin) {
        assertThat(DEFAULTS.allows(origin)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://example.com",
                "http://localhost.example.com",
                "http://localhostx:1",
                "https://192.168.0.1",
                "ftp://localhost",
                "null",
                "",
            })
    void othersAreNot(String origin) {
        assertThat(DEFAULTS.allows(origin)).isFalse();
        assertThat(DEFAULTS.allowsAll()).isFalse();
    }

    @Test
    void configuredOriginsAreAllowedExactly() {
        Origins origins = new Origins(List.of("https://Chat.example.com"));

        assertThat(origins.allows("https://chat.example.com")).isTrue();
        assertThat(origins.allows("https://chat.example.com:444")).isFalse();
        assertThat(origins.allows("http://chat.example.com")).isFalse();
        assertThat(origins.allows("http://localhost")).isTrue();
    }

    @Test
    void aWildcardStandsForAnyText() {
        Origins origins = new Origins(List.of("https://*.example.com", "http://ab*ba"));

        assertThat(origins.allows("https://a.b.example.com")).isTrue();
        assertThat(origins.allows("https://example.com")).isFalse();
        assertThat(origins.allows("https://a.example.com.evil.org")).isFalse();
        assertThat(origins.allows("http://abba")).isTrue();
        assertThat(origins.allows("http://aba"))
                .as("head and tail must not overlap")
                .isFalse();
        assertThat(origins.allowsAll()).isFalse();
    }

    @Test
    void aStarAloneAllowsAll() {
        Origins origins = new Origins(List.of("*"));

        assertThat(origins.allowsAll()).isTrue();
        assertThat(origins.allows("https://anything")).isTrue();
        assertThat(origins.allows("null")).isTrue();
    }

    @Test
    void twoWildcardsAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Origins(List.of("http://*.a.*")))
                .withMessage("origin: http://*.a.* (expected: at most one *)");
    }

    @Test
    void theOriginIsTheHostBehindAScheme() {
        assertThat(Origins.sameOrigin("http://gpu:8080", "gpu:8080")).isTrue();
        assertThat(Origins.sameOrigin("https://GPU", "gpu")).isTrue();
        assertThat(Origins.sameOrigin("http://gpu:8080", "gpu")).isFalse();
        assertThat(Origins.sameOrigin("http://gpu.evil", "gpu")).isFalse();
        assertThat(Origins.sameOrigin("app://gpu", "gpu")).isFalse();
        assertThat(Origins.sameOrigin("null", "")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "localhost",
                "LocalHost:8080",
                "127.0.0.1:8080",
                "127.8.8.8",
                "10.1.2.3:1",
                "172.16.0.1",
                "192.168.1.1",
                "0.0.0.0",
                "[::1]:8080",
                "[::1]",
                "::1",
                "[::]",
                "[fd00::1]:80",
                "gpu.local",
                "x.localhost:1",
                "ollama.internal",
            })
    void aHostNearby(String host) {
        assertThat(Origins.isLocal(host)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "example.com",
                "example.com:8080",
                "127.0.0.1.example.com",
                "localhost.example.com",
                "local",
                "8.8.8.8:80",
                "172.32.0.1",
                "[2001:db8::1]:80",
                "[fe80",
                "[::1",
                "127.0.0.1:80:80",
                "notlocal",
                "127.1",
            })
    void aHostAnywhere(String host) {
        assertThat(Origins.isLocal(host)).isFalse();
    }

    @Test
    void preflightsNameTheHeadersOfEverySdk() {
        assertThat(Origins.ALLOW_HEADERS.split(","))
                .contains("Authorization", "OpenAI-Beta", "x-stainless-timeout", "anthropic-version", "x-api-key")
                .doesNotHaveDuplicates()
                .allMatch(name -> name.equals(name.strip()));
        assertThat(Origins.ALLOW_METHODS.split(",")).contains("DELETE", "OPTIONS");
        assertThat(Origins.MAX_AGE).isEqualTo("43200");
    }
}
