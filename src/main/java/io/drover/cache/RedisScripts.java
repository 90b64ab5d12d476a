package io.drover.cache;

import io.lettuce.core.RedisException;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** Runs scripts in Redis, each on one key, by their digests where Redis knows them. Any thread; nothing here waits. */
public final class RedisScripts {
    private final RedisLink link;

    /** Of the few scripts that there are. */
    private final Map<String, String> digests = new ConcurrentHashMap<>();

    public RedisScripts(RedisLink link) {
        this.link = link;
    }

    /**
     * Runs a script that answers with whole numbers.
     *
     * @param script in Lua
     * @return fails at once while there is no connection, and after a second without an answer
     */
    public CompletionStage<List<Long>> run(String script, String key, List<String> arguments) {
        RedisConnection connection = link.connection();
        if (connection == null) {
            return CompletableFuture.failedFuture(new RedisException("no connection to Redis"));
        }
        RedisClusterAsyncCommands<byte[], byte[]> commands = connection.commands();
        byte[][] keys = {bytes(key)};
        byte[][] values = arguments.stream().map(RedisScripts::bytes).toArray(byte[][]::new);
        String digest = digests.computeIfAbsent(script, commands::digest);
        return commands.<List<Long>>evalsha(digest, ScriptOutputType.MULTI, keys, values)
                .handle((answer, failure) -> failure instanceof RedisNoScriptException
                        ? commands.<List<Long>>eval(script, ScriptOutputType.MULTI, keys, values)
                        : known(answer, failure))
                .thenCompose(Function.identity());
    }

    private static CompletionStage<List<Long>> known(List<Long> answer, Throwable failure) {
        return failure == null ? CompletableFuture.completedStage(answer) : CompletableFuture.failedStage(failure);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
