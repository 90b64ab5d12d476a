package io.drover.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConfigTextTest {
    private final Path directory;

    ConfigTextTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @Test
    void theDefaultsReadWell() throws ConfigException {
        DroverConfig config = new Loading(directory)
                .backends("http://gpu1:11434", "http://10.0.0.12:11434")
                .flag("limits.connections", "1000")
                .flag("event-loops", "1")
                .config();

        assertThat(ConfigText.render(config)).isEqualTo("""
                listen      0.0.0.0:8080
                admin       127.0.0.1:9090
                tls         off
                backends    2, least-connections
                  gpu1:11434       http://gpu1:11434, weight 1
                  10.0.0.12:11434  http://10.0.0.12:11434, weight 1
                routing     model-aware
                health      probe every 5s, timeout 2s, up after 2, down after 3; ejected for 30s to 5m after 5 failures, up to 50% at once
                            degraded after 5 answers below 25% of the usual speed, or above 30% unfinished; wedged after 1m
                slow start  30s
                timeouts    connect 5s, request head 10s, request body 1m, first byte 10m, idle 2m
                            client write 1m, upstream write 1m, keep-alive 2m, lingering close 2s
                upstream    idle connections closed after 1m, at most 1024 kept and 128 connecting
                retry       at most 2 tries after the first
                limits      request head 32KiB and 128 fields, request body 100MiB, 1000 connections
                            requests of a client not limited
                            no trusted proxies
                access      any address
                auth        none, anybody may ask
                validation  none
                rewrite     nothing
                cache       off
                buffers     retained bodies 256MiB, outbound 256MiB, stream 256KiB down to 64KiB, hold back 16KiB
                cors        Ollama's own origins
                metrics     at most 100 models by name, stall after 5s
                redis       none
                access log  standard output, queue 65536
                audit log   off
                process     1 event loop, transport auto, drain delay 0s, drain timeout 30s
                """);
    }

    @Test
    void everythingSetReadsWellAndHidesSecrets() throws Exception {
        DroverConfig config;
        try (InputStream in = Objects.requireNonNull(ConfigTextTest.class.getResourceAsStream("everything.conf"))) {
            config = new Loading(directory)
                    .file(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .load()
                    .config();
        }

        assertThat(ConfigText.render(config))
                .isEqualTo("""
                listen      127.0.0.2:81, [0:0:0:0:0:0:0:1]:82, with a PROXY header
                admin       10.0.0.3:83, as ops.internal, with a token and another for the metrics
                tls         CN=drover.test, until 2126-10-28T14:16:34Z
                backends    2, random-two
                  one       http://gpu1, weight 7, backup, host llm.internal, no forwarded headers, authorization set
                  [::1]:84  https://[::1]:84, weight 1, not verified
                discovery   _ollama._tcp.gpus.internal, every 128s
                routing     any backend for any model
                health      probe every 103s, timeout 104s, up after 8, down after 9; ejected for 105s to 125s after 10 failures, up to 26% at once
                            degraded after 28 answers below 27% of the usual speed, or above 29% unfinished; wedged after 128s
                slow start  127s
                timeouts    connect 106s, request head 107s, request body 108s, first byte 109s, idle 110s
                            client write 111s, upstream write 112s, keep-alive 113s, lingering close 114s
                upstream    idle connections closed after 115s, at most 15 kept and 16 connecting
                retry       at most 11 tries after the first, within deterministic streams too
                limits      request head 12KiB and 13 fields, request body 14MiB, 999999999 connections
                            requests: 24/m requests by client-ip and 25 at once
                            team: 38/h requests by header:x-team and 39 at once, delayed up to 130s, of /v1/*, for qwen*, with alice, bob
                            tokens: 40/d tokens by all and 40 at once
                            budgets: 42 tokens and 131s of GPUs a month by api-key
                            shared with other replicas, each at most 132ms ahead of Redis
                            a client: at most 36 connections and at most 37 requests at once
                            trusted proxies 10.0.0.0/8, 0:0:0:0:0:0:0:1/128
                access      10.1.0.0/16, fd00:0:0:0:0:0:0:0/8, never 10.1.2.3/32
                auth        API keys of /etc/drover/keys and Redis, looked at every 129s, in a path behind /secret/
                            tokens by keys of https://login.example.org/keys, PS256, issuer https://login.example.org, audience llm
                            users of /etc/drover/users, looked at every 129s
                validation  types of fields; num_ctx at most 30; num_predict at most 31; images at most 32; messages at most 33; models llama3*, qwen3:8b
                rewrite     num_ctx taken out; keep_alive 35m
                cache       every answer, fresh for 133s, stale for 134s, not coalesced, each caller's own
                            memory 43MiB, an answer up to 44KiB, a request up to 45KiB, recording 46MiB
                            not for private*, with carol
                            encrypted in Redis, asked for 135ms, writing 47MiB, another replica's answer awaited for 136s
                            similar prompts from 0.97 by nomic-embed-text, of 48 vectors, within 137ms
                buffers     retained bodies 17GiB, outbound 18GiB, stream 19KiB down to 20B, hold back 21B
                cors        Ollama's own origins, https://*.example.com, app://*
                metrics     at most 22 models by name, stall after 23s
                redis       set, URI hidden
                access log  off
                audit log   /var/log/audit.log, queue 30, put aside at 31MiB, 32 kept, prompts up to 29KiB, waiting up to 33MiB
                process     3 event loops, transport io_uring, drain delay 101s, drain timeout 102s
                """)
                .doesNotContain("abc")
                .doesNotContain(":secret")
                .doesNotContain("1111")
                .doesNotContain("2222");
    }

    @Test
    void aClampedNumCtxSaysSo() throws ConfigException {
        DroverConfig config = new Loading(directory)
                .backends("http://gpu1:11434")
                .flag("rewrite.num-ctx", "8192")
                .config();

        assertThat(ConfigText.render(config)).contains("rewrite     num_ctx at most 8192\n");
    }

    @Test
    void aCacheReadsWell() throws ConfigException {
        Loading loading = new Loading(directory).backends("http://gpu1:11434").flag("cache.enabled", "true");

        assertThat(ConfigText.render(loading.config())).contains("""
                cache       deterministic answers, fresh for 1h, stale for 24h, coalesced, shared by all callers
                            memory 256MiB, an answer up to 8MiB, a request up to 16MiB, recording 64MiB
                            in this process only
                """);

        loading.flag("redis.uri", "redis://a").flag("cache.serve-stale", "0s").flag("cache.exclude.models", "a,b*");

        assertThat(ConfigText.render(loading.config())).contains("""
                cache       deterministic answers, fresh for 1h, never stale, coalesced, shared by all callers
                            memory 256MiB, an answer up to 8MiB, a request up to 16MiB, recording 64MiB
                            not for a, b*
                            in Redis, not encrypted, asked for 5ms, writing 16MiB
                """);
    }

    @Test
    void whatIsOffSaysSo() throws ConfigException {
        DroverConfig config = new Loading(directory)
                .backends("http://gpu1:11434")
                .flag("health.active.interval", "0")
                .flag("health.passive.failures", "0")
                .flag("health.degraded.requests", "0")
                .flag("health.wedged-after", "0")
                .config();

        assertThat(ConfigText.render(config))
                .contains("health      no probes; no ejection\n            never degraded; never wedged\n");
    }

    @Test
    void quantitiesTakeTheirLargestExactUnit() {
        assertThat(Quantities.text(Duration.ofMillis(1500))).isEqualTo("1500ms");
        assertThat(Quantities.text(Duration.ofHours(24))).isEqualTo("24h");
        assertThat(Quantities.text(Duration.ofDays(2))).isEqualTo("2d");
        assertThat(Quantities.text(Duration.ofNanos(1_500_000))).isEqualTo("1500000ns");
        assertThat(Quantities.text(1000)).isEqualTo("1000B");
        assertThat(Quantities.text(0)).isEqualTo("0B");
    }
}
