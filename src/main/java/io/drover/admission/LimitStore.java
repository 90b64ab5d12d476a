package io.drover.admission;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** Where several replicas keep what their limits have in common. Any thread; nothing here waits. */
public interface LimitStore {
    /**
     * Runs a script on one key, whole and alone.
     *
     * @param script in Lua, as Redis takes it
     * @return what it answered, on a thread that must not be held up; fails soon if the store is away or says nothing
     */
    CompletionStage<List<Long>> run(String script, String key, List<String> arguments);

    /** How many connections were made to it so far. Behind a new one it may have lost what it had. */
    int connections();
}
