package io.drover.cache;

import io.drover.config.CacheConfig;
import io.drover.ollama.Endpoint;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Keys, answers and configurations for tests of the tiers. */
final class Samples {
    static final String MODEL = "registry.ollama.ai/library/llama3:latest";
    static final String OTHER_MODEL = "registry.ollama.ai/library/qwen3:latest";

    private Samples() {}

    static CacheKey key(String text) {
        try {
            return CacheKey.of(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }

    static CachedAnswer whole(String text, String model, long generation, long atMillis) {
        String body = "{\"model\":\"m\",\"created_at\":\"2026-01-02T03:04:05.678901Z\",\"response\":\"" + text
                + "\",\"done\":true,\"done_reason\":\"stop\",\"total_duration\":5000,\"load_duration\":1000,"
                + "\"prompt_eval_count\":3,\"prompt_eval_duration\":1000,\"eval_count\":2,\"eval_duration\":2000}";
        return answer(Form.WHOLE, "application/json; charset=utf-8", body, model, generation, atMillis);
    }

    static CachedAnswer stream(String text, String model, long generation, long atMillis) {
        String body = "{\"model\":\"m\",\"created_at\":\"2026-01-02T03:04:05.678901Z\",\"response\":\"" + text
                + "\",\"done\":false}\n{\"model\":\"m\",\"created_at\":\"2026-01-02T03:04:06.678901Z\",\"response\":\"\","
                + "\"done\":true,\"done_reason\":\"stop\",\"total_duration\":5000,\"load_duration\":1000,"
                + "\"prompt_eval_count\":3,\"prompt_eval_duration\":1000,\"eval_count\":2,\"eval_duration\":2000}\n";
        return answer(Form.STREAM, "application/x-ndjson", body, model, generation, atMillis);
    }

    private static CachedAnswer answer(
            Form form, String contentType, String body, String model, long generation, long atMillis) {
        Origin origin = new Origin(model, generation, atMillis);
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        return Objects.requireNonNull(CachedAnswer.of(Endpoint.GENERATE, form, contentType, bytes, origin));
    }

    static final class Settings {
        private long memory = 16 << 20;
        private long maxEntry = 1 << 20;
        private long writing = 16 << 20;
        private Duration budget = Duration.ofSeconds(5);
        private Duration lease = Duration.ofSeconds(10);
        private Optional<Path> keyFile = Optional.empty();

        Settings memory(long bytes) {
            memory = bytes;
            return this;
        }

        Settings maxEntry(long bytes) {
            maxEntry = bytes;
            return this;
        }

        Settings writing(long bytes) {
            writing = bytes;
            return this;
        }

        Settings budget(Duration budgetOfLookUps) {
            budget = budgetOfLookUps;
            return this;
        }

        Settings lease(Duration length) {
            lease = length;
            return this;
        }

        Settings keyFile(Path file) {
            keyFile = Optional.of(file);
            return this;
        }

        /** Fresh for an hour, stale for two more. A budget that no busy machine exceeds. */
        CacheConfig config() {
            return new CacheConfig(
                    true,
                    CacheConfig.When.ALWAYS,
                    Duration.ofHours(1),
                    memory,
                    maxEntry,
                    Duration.ofHours(2),
                    true,
                    1 << 20,
                    1 << 20,
                    budget,
                    writing,
                    false,
                    List.of(),
                    List.of(),
                    lease,
                    keyFile,
                    new CacheConfig.Semantic("", 0.95, 100, Duration.ofMillis(500)));
        }
    }

    /** Counts everything. */
    static final class Counts implements CacheObserver {
        final Map<String, AtomicLong> all = new ConcurrentHashMap<>();

        long of(Object what) {
            AtomicLong count = all.get(what.toString());
            return count == null ? 0 : count.get();
        }

        private void add(String what, long amount) {
            all.computeIfAbsent(what, none -> new AtomicLong()).addAndGet(amount);
        }

        @Override
        public void onRedisAnswer(long nanos) {
            add("asked", 1);
        }

        @Override
        public void onBreakerOpen() {
            add("opened", 1);
        }

        @Override
        public void onEvicted(Eviction cause, long bytes) {
            add(cause.toString(), 1);
            add(cause + " bytes", bytes);
        }

        @Override
        public void onWriteDropped() {
            add("dropped", 1);
        }

        @Override
        public void onReadFailed() {
            add("failed", 1);
        }
    }
}
