package io.drover.admission;

import io.drover.admission.AuthVerdict.Reason;
import io.drover.config.DroverConfig.Auth;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The API keys of {@code auth.keys-file} and of the store, kept up to date. What a secret is worth is {@linkplain #known
 * known} at once, from any thread, without a lock and, after a thread's first time, without allocation.
 */
public final class KeyRing implements Authenticator, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KeyRing.class);

    /** Longer ones are not hashed: no key has them, and whoever sends them may send many. */
    private static final int LONGEST_SECRET = 256;

    /** While the store has never been read, which at the start takes a connection. */
    private static final Duration STORE_AGAIN = Duration.ofMillis(200);

    /** After a fault of ours, such as a heap that is full, the next look waits for so many times its turn. */
    private static final int PAUSE = 10;

    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    /** Where the store may know better. */
    private static final AuthVerdict UNKNOWN_YET =
            AuthVerdict.refused(Reason.UNAVAILABLE, "unknown key; not all keys could be read yet");

    private final @Nullable KeyStore store;
    private final ScheduledExecutorService thread;

    private volatile ApiKeys keys = ApiKeys.NONE;

    /** Whether keys may be missing, since the store has never been read. */
    private volatile boolean incomplete;

    // Guarded by this.
    private @Nullable KeyFile file;
    private @Nullable StoredKeys stored;
    private boolean asking;

    /** Whether file or store hold other keys than are known: there may not have been the memory for them. */
    private boolean stale;

    private boolean closed;
    private Duration refresh = Duration.ZERO;
    private @Nullable ScheduledFuture<?> looks;

    private KeyRing(@Nullable KeyStore store, ScheduledExecutorService thread) {
        this.store = store;
        this.thread = thread;
    }

    /**
     * Reads the file, begins to read the store and goes on to look at both.
     *
     * @param store what {@code auth.keys-in-redis} means; null where there is none
     * @param thread reads and parses, which may take seconds for many keys; the caller's
     * @throws IOException if the file cannot be read or has mistakes; the message tells all of them
     */
    public static KeyRing open(Auth auth, @Nullable KeyStore store, ScheduledExecutorService thread)
            throws IOException {
        KeyRing ring = new KeyRing(store, thread);
        ring.configure(auth);
        return ring;
    }

    /**
     * Goes on with another configuration; its file is read again in any case. Blocks.
     *
     * @throws IOException as {@link #open}; then nothing has changed
     */
    public void configure(Auth next) throws IOException {
        if (next.keysInRedis() && store == null) {
            throw new IllegalArgumentException("keysInRedis: true (expected: false, since there is no store)");
        }
        KeyFile nextFile =
                next.keysFile().isPresent() ? KeyFile.open(next.keysFile().get(), keys) : null;
        synchronized (this) {
            file = nextFile;
            if (nextFile != null) {
                nextFile.tell();
            }
            stored = !next.keysInRedis() ? null : stored == null ? new StoredKeys() : stored;
            rebuild();
            if (!next.refresh().equals(refresh)) {
                refresh = next.refresh();
                schedule(refresh);
            }
            askStore();
        }
    }

    private void schedule(Duration first) {
        if (looks != null) {
            looks.cancel(false);
        }
        looks = thread.scheduleWithFixedDelay(this::look, first.toMillis(), refresh.toMillis(), TimeUnit.MILLISECONDS);
    }

    /**
     * Reads the file once, to see whether it would do.
     *
     * @return how many keys it holds
     * @throws IOException as {@link #open}
     */
    public static int check(Path keysFile) throws IOException {
        return KeyFile.open(keysFile, ApiKeys.NONE).keys().size();
    }

    /** How many keys there are. */
    public int size() {
        return keys.size();
    }

    /** Whether a verdict says that there is no such key: the credential may be one of another kind. */
    public static boolean isUnknown(AuthVerdict verdict) {
        return verdict.equals(ApiKeys.UNKNOWN) || verdict.equals(UNKNOWN_YET);
    }

    @Override
    public AuthVerdict known(byte[] bytes, int from, int to, long nowMillis) {
        if (to - from > LONGEST_SECRET) {
            return ApiKeys.UNKNOWN;
        }
        AuthVerdict verdict = keys.verdict(Sha256.of(bytes, from, to), nowMillis);
        return incomplete && isUnknown(verdict) ? UNKNOWN_YET : verdict;
    }

    /** The same, since nothing has to be waited for. */
    @Override
    public CompletionStage<AuthVerdict> verify(byte[] credential, long nowMillis) {
        return CompletableFuture.completedFuture(known(credential, 0, credential.length, nowMillis));
    }

    private synchronized void look() {
        if (closed) {
            return;
        }
        try {
            boolean changed = file != null && file.look(keys);
            if (changed || stale) {
                rebuild();
            }
            askStore();
        } catch (RuntimeException | Error fault) {
            onFault(fault);
        }
    }

    /** It would end the looks for good. Where the heap is full for a million keys the next look had better not come soon. */
    private void onFault(Throwable fault) {
        Duration most = refresh.compareTo(LONGEST_PAUSE) > 0 ? refresh : LONGEST_PAUSE;
        Duration pause = refresh.multipliedBy(PAUSE);
        schedule(pause.compareTo(most) > 0 ? most : pause);
        LOG.error("keys cannot be read by a fault of ours, so that the last {} stay for now", keys.size(), fault);
    }

    private synchronized void askStore() {
        if (closed || asking || stored == null || store == null) {
            return;
        }
        asking = true;
        try {
            store.lines().whenComplete((lines, failure) -> onThread(() -> onAnswer(lines, failure)));
        } catch (RuntimeException | Error failure) {
            onAnswer(null, failure);
        }
    }

    /** The store's own threads must not be kept busy with parsing. */
    private void onThread(Runnable task) {
        try {
            thread.execute(task);
        } catch (RejectedExecutionException ended) {
            LOG.debug("keys of the store came after the end");
        }
    }

    private synchronized void onAnswer(@Nullable Map<String, String> lines, @Nullable Throwable failure) {
        asking = false;
        if (closed || stored == null) {
            return;
        }
        if (lines != null) {
            take(stored, lines);
            return;
        }
        if (stored.isRead()) {
            stored.failed(String.valueOf(failure));
        } else {
            thread.schedule(this::askStore, STORE_AGAIN.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void take(StoredKeys from, Map<String, String> lines) {
        try {
            if (from.take(lines, keys)) {
                rebuild();
            }
        } catch (RuntimeException | Error fault) {
            onFault(fault);
        }
    }

    private void rebuild() {
        stale = true;
        List<KeyLine> first = file == null ? List.of() : file.keys();
        List<KeyLine> second = stored == null ? List.of() : stored.keys();
        keys = ApiKeys.of(first, second);
        incomplete = stored != null && !stored.isRead();
        stale = false;
    }

    /** Looks no more; what is known stays. The thread is left to the caller. */
    @Override
    public synchronized void close() {
        closed = true;
        if (looks != null) {
            looks.cancel(false);
        }
    }
}
