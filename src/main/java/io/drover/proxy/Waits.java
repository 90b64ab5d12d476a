package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.backend.Models;
import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.Timeouts;
import io.drover.metrics.Phase;
import io.drover.ollama.ModelName;
import io.drover.upstream.UpstreamConnection;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How long one exchange may wait for a sign of life: sets the deadline at which it is looked at next, and says at a look
 * what is overdue. What follows from that is the exchange's business.
 *
 * <p>Belongs to one event loop. Times are those of {@link System#nanoTime}.
 */
final class Waits {
    /** What took too long. */
    enum Overdue {
        NOTHING,
        /** Whose the credentials are, and what its limits say. */
        LIMITS,
        /** The client's next byte of its body. */
        BODY,
        /** A connection to the backend. */
        CONNECT,
        /** The room that a limit has let the request wait for is there. */
        ROOM,
        /** New listings of the backends' models. */
        LISTINGS,
        /** That the backend takes a byte of the request. */
        BACKEND_WRITE,
        /** The first byte of an answer. */
        FIRST_BYTE,
        /** The next byte of an answer. */
        NEXT_BYTE,
        /** That the client takes a byte of the answer. */
        CLIENT_WRITE
    }

    /** Looks at one backend keep some distance, whatever their limits are. */
    private static final long BETWEEN_LISTINGS_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Whoever verifies has limits of its own, and refuses in time what it cannot do; this is for one that is stuck. */
    private static final long LIMITS_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final ClientConnection client;
    private final ClientRequest request;
    private final DroverConfig config;
    private final Timeouts timeouts;
    private boolean asking;
    private boolean delayed;
    private long roomNanos;
    private long bodyReadNanos;
    private long sentNanos;
    private Models modelsBefore = Models.UNKNOWN;

    Waits(ClientConnection client, ClientRequest request, DroverConfig config) {
        this.client = client;
        this.request = request;
        this.config = config;
        this.timeouts = config.timeouts();
    }

    /** The client's body has made progress; its next byte may take its time from now. */
    void onBodyRead(long now) {
        bodyReadNanos = now;
    }

    void awaitBody() {
        client.setDeadline(bodyReadNanos + timeouts.requestBody().toNanos());
    }

    /** For what knows its own time, and is done by the loop: credentials are verified, a limit is asked again. */
    void awaitLimits(long now) {
        asking = true;
        client.setDeadline(now + LIMITS_NANOS);
    }

    /**
     * @param delayNanos 0: there is room
     * @return whether it has to wait
     */
    boolean awaitRoom(long now, long delayNanos) {
        asking = false;
        roomNanos = now + delayNanos;
        delayed = delayNanos > 0;
        if (delayed) {
            client.setDeadline(roomNanos);
        }
        return delayed;
    }

    /** For the cache, which keeps its own time, or for whoever gets the answer, whose waits count. */
    void awaitLookup(long now) {
        client.setDeadline(now + timeouts.idle().toNanos());
    }

    void awaitListings(long now) {
        // The look under way, then one of our own. They end by themselves, unless whoever looks is stuck.
        long looks = 2 * config.health().active().timeout().toNanos();
        client.setDeadline(now + timeouts.connect().toNanos() + looks + BETWEEN_LISTINGS_NANOS);
    }

    void awaitConnection(Backend backend, long now) {
        modelsBefore = backend.models();
        // The pool's own limit covers a connect under way; this one also covers the wait for a turn to connect.
        client.setDeadline(now + 2 * timeouts.connect().toNanos());
    }

    /** From now on the backend has the time that an answer may take. */
    void awaitAnswer(long now, boolean uploading) {
        sentNanos = now;
        client.setDeadline(now + Look.whileSending(timeouts, request.endpoint(), uploading));
    }

    /** When the last of the request was handed to the connection. */
    long sentNanos() {
        return sentNanos;
    }

    /** Whether the answer is a stream that begins as soon as there is something to say. */
    boolean isForStream() {
        return request.isForStream();
    }

    /**
     * Whether the backend had the model in memory before it was given the request, so that it need not load it: while it
     * does, it lists the model as loaded already.
     */
    boolean isForLoadedModel() {
        ModelName model = request.modelName();
        return model != null && modelsBefore.isLoaded(model.key());
    }

    /** Whether an answer to an inference request can come: nothing keeps it from being read. */
    boolean isReading() {
        return client.isWritable();
    }

    boolean isForInference() {
        return request.endpoint().inference();
    }

    void awaitNextByte(long now) {
        client.setDeadline(now + Look.whileRelaying(timeouts, request.endpoint()));
    }

    /**
     * Looks at the limits of a phase; if nothing is overdue the next deadline is set.
     *
     * @param call the try that runs; not null from {@link Phase#CONNECT} on, unless the answer comes from elsewhere
     * @param uploading whether some of the request's body is still to come
     * @param apart whether the client is not served by the call, so that this need not wait for it
     */
    Overdue look(long now, Phase phase, @Nullable Call call, boolean uploading, boolean apart) {
        return switch (phase) {
            case ADMIT -> Overdue.LIMITS;
            case READ_BODY -> body(now, Long.MAX_VALUE);
            case QUEUE -> room(now);
            case CONNECT -> Overdue.CONNECT;
            case SEND, AWAIT_HEAD ->
                answer(now, Objects.requireNonNull(Objects.requireNonNull(call).connection()), uploading);
            case RELAY -> relay(now, call, apart);
            default -> {
                client.setDeadline(now + timeouts.requestBody().toNanos());
                yield Overdue.NOTHING;
            }
        };
    }

    private Overdue room(long now) {
        if (asking) {
            return Overdue.LIMITS;
        }
        if (!delayed) {
            return Overdue.LISTINGS;
        }
        if (now - roomNanos < 0) {
            client.setDeadline(roomNanos);
            return Overdue.NOTHING;
        }
        delayed = false;
        return Overdue.ROOM;
    }

    /** @param lookNanos when at the latest to look again, for another reason */
    private Overdue body(long now, long lookNanos) {
        long limit = timeouts.requestBody().toNanos();
        if (now - bodyReadNanos >= limit) {
            return Overdue.BODY;
        }
        client.setDeadline(now + Math.min(bodyReadNanos + limit - now, lookNanos));
        return Overdue.NOTHING;
    }

    private Overdue answer(long now, UpstreamConnection connection, boolean uploading) {
        long writeLimit = timeouts.upstreamWrite().toNanos();
        long look = Look.within(writeLimit);
        long stalledNanos = connection.stalledNanos(now);
        if (stalledNanos >= writeLimit) {
            return Overdue.BACKEND_WRITE;
        }
        if (uploading && stalledNanos == 0) {
            // The client's pace counts, unless it is the backend that does not take the bytes.
            return body(now, look);
        }
        if (uploading || request.endpoint().unhurried()) {
            client.setDeadline(now + look);
            return Overdue.NOTHING;
        }
        long limit = timeouts.firstByte().toNanos();
        if (now - sentNanos >= limit) {
            return Overdue.FIRST_BYTE;
        }
        client.setDeadline(Math.min(sentNanos + limit, now + look));
        return Overdue.NOTHING;
    }

    private Overdue relay(long now, @Nullable Call call, boolean apart) {
        // Whatever is overdue: where others want the answer, one of the two peers may yet be waited for.
        awaitNextByte(now);
        if (client.stalledNanos(now) >= timeouts.clientWrite().toNanos()) {
            return Overdue.CLIENT_WRITE;
        }
        // While the client is behind, its backend is not read and cannot be silent.
        boolean hurried = request.endpoint().inference() && (apart || client.isWritable());
        if (call != null
                && hurried
                && now - call.lastReadNanos() >= timeouts.idle().toNanos()) {
            return Overdue.NEXT_BYTE;
        }
        return Overdue.NOTHING;
    }
}
