package io.drover.cache;

import io.lettuce.core.MapScanCursor;
import io.lettuce.core.RedisException;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A hash in Redis whose fields and values are text. Any thread. */
public final class RedisHash {
    /** Fields of one answer, about: Redis serves nobody else while it puts one together. */
    private static final ScanArgs PAGE = ScanArgs.Builder.limit(1000);

    private final RedisLink link;
    private final byte[] key;

    public RedisHash(RedisLink link, String key) {
        this.link = link;
        this.key = key.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Reads all of it, in steps; what changes meanwhile may be seen or not. Returns at once. Fails while Redis is away, and
     * if any step takes longer than a command may.
     */
    public CompletionStage<Map<String, String>> all() {
        RedisConnection connection = link.connection();
        return connection == null
                ? CompletableFuture.failedFuture(new RedisException("no connection to Redis"))
                : readOn(connection, ScanCursor.INITIAL, new LinkedHashMap<>());
    }

    private CompletionStage<Map<String, String>> readOn(
            RedisConnection connection, ScanCursor from, Map<String, String> read) {
        return connection
                .commands()
                .hscan(key, from, PAGE)
                .thenCompose(page ->
                        take(page, read) ? CompletableFuture.completedStage(read) : readOn(connection, page, read));
    }

    /** Whether it was the last one. */
    private static boolean take(MapScanCursor<byte[], byte[]> page, Map<String, String> read) {
        page.getMap().forEach((field, value) -> read.put(text(field), text(value)));
        return page.isFinished();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
