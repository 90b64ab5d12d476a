package io.drover.testing;

import io.netty.buffer.Unpooled;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import io.netty.util.ResourceLeakTracker;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test class that leaves buffers behind, and says where they were allocated. JUnit finds and loads it before the
 * first test (see {@code junit-platform.properties}), which is early enough to replace Netty's own detector: that one
 * needs a garbage collection to notice, and only logs.
 *
 * <p>A class is judged as a whole, behind its last {@code @AfterAll}: what its event loops still hold until then is
 * theirs. Buffers of static initialisers live as long as the process and do not count; unpooled heap buffers do not
 * either, since Netty never tells of them.
 */
public final class LeakCheck implements BeforeAllCallback, AfterAllCallback {
    /** Loops release in their own time; a class that leaks waits this long in vain. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final long GC_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private static final LiveResources LIVE = new LiveResources();

    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(LeakCheck.class);

    static {
        ResourceLeakDetectorFactory.setResourceLeakDetectorFactory(new Factory());
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        long before = LIVE.born();
        Unpooled.directBuffer(1).release();
        if (LIVE.born() == before) {
            throw new IllegalStateException("Netty's buffers came to life before this check: leaks would go unseen");
        }
        context.getStore(NAMESPACE).put("born", LIVE.born());
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        long born = context.getStore(NAMESPACE).get("born", Long.class);
        String leaks = LIVE.awaitNoneSince(born, PATIENCE_NANOS);
        if (leaks != null) {
            throw new AssertionError(context.getDisplayName() + " leaves " + leaks);
        }
    }

    private static final class Factory extends ResourceLeakDetectorFactory {
        @Override
        @SuppressWarnings("deprecation") // abstract, so there is no way around it
        public <T> ResourceLeakDetector<T> newResourceLeakDetector(
                Class<T> resource, int samplingInterval, long maxActive) {
            return new Detector<>(resource, samplingInterval);
        }
    }

    private static final class Detector<T> extends ResourceLeakDetector<T> {
        Detector(Class<T> resource, int samplingInterval) {
            super(resource, samplingInterval);
        }

        @Override
        public @Nullable ResourceLeakTracker<T> track(T resource) {
            return ResourceLeakDetector.isEnabled() ? trackForcibly(resource) : null;
        }

        @Override
        public @Nullable ResourceLeakTracker<T> trackForcibly(T resource) {
            Throwable creation = new Throwable("allocated");
            for (StackTraceElement frame : creation.getStackTrace()) {
                // Lettuce keeps a buffer per connection and may lose it when it is shut down while it connects.
                boolean lettuce = frame.getClassName().startsWith("io.lettuce.");
                if (lettuce || frame.getMethodName().equals("<clinit>")) {
                    return null;
                }
            }
            return new Tracker<>(LIVE.add(creation));
        }
    }

    private record Tracker<T>(long number) implements ResourceLeakTracker<T> {
        @Override
        public void record() {
            // Where it was allocated is enough.
        }

        @Override
        public void record(Object hint) {
            // As above.
        }

        @Override
        public boolean close(T trackedObject) {
            return LIVE.remove(number);
        }
    }

    /** What was allocated and not yet released, in the order of allocation. */
    private static final class LiveResources {
        private final TreeMap<Long, Throwable> alive = new TreeMap<>();
        private long born;

        synchronized long born() {
            return born;
        }

        synchronized long add(Throwable creation) {
            alive.put(++born, creation);
            return born;
        }

        synchronized boolean remove(long number) {
            boolean removed = alive.remove(number) != null;
            notifyAll();
            return removed;
        }

        /** Text about what came to life after {@code number} and outlives {@code patienceNanos}; null if nothing does. */
        synchronized @Nullable String awaitNoneSince(long number, long patienceNanos) throws InterruptedException {
            long end = System.nanoTime() + patienceNanos;
            var young = alive.tailMap(number, false);
            for (long left = patienceNanos; !young.isEmpty() && left > 0; left = end - System.nanoTime()) {
                // Contexts of BoringSSL are let go by their finalizers. A buffer is not: one that leaks stays here.
                System.gc();
                TimeUnit.NANOSECONDS.timedWait(this, Math.min(left, GC_EVERY_NANOS));
            }
            if (young.isEmpty()) {
                return null;
            }
            StringWriter text = new StringWriter();
            young.values().iterator().next().printStackTrace(new PrintWriter(text));
            return young.size() + " buffers behind, the first of them " + text;
        }
    }
}
