package io.drover.proxy;

import io.drover.cache.CacheKey;
import io.drover.cache.Form;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The answers that are on their way and can be followed, by what was asked. Any thread. */
final class Flights {
    /**
     * Whoever follows is given the bytes as they come, and so must want the same form.
     *
     * @param generation of the cache when it was asked: what is purged while it is on its way is not joined any more
     */
    record Key(CacheKey key, Form form, long generation) {}

    private final Map<Key, Flight> flights = new ConcurrentHashMap<>();
    private final LongAdder followers = new LongAdder();
    private final ByteBudget recordings;
    private final long maxEntry;

    /**
     * @param recording most bytes of all that is recorded
     * @param maxEntry most bytes of an answer that is worth recording
     */
    Flights(long recording, long maxEntry) {
        this.recordings = new ByteBudget(recording);
        this.maxEntry = maxEntry;
    }

    /** The flight that answers this already; else {@code mine} does from now on, and null is returned. */
    @Nullable
    Flight lead(Flight mine) {
        return flights.putIfAbsent(Objects.requireNonNull(mine.key()), mine);
    }

    /** It takes none on any more. */
    void remove(Flight flight) {
        Key key = flight.key();
        if (key != null) {
            flights.remove(key, flight);
        }
    }

    void onFollow(int change) {
        followers.add(change);
    }

    /** Requests that follow another's answer now. */
    int followers() {
        return followers.intValue();
    }

    boolean reserve(int bytes) {
        return recordings.tryTake(bytes);
    }

    void giveBack(long bytes) {
        recordings.giveBack(bytes);
    }

    /** Bytes that are recorded now. */
    long recorded() {
        return recordings.used();
    }

    long maxEntry() {
        return maxEntry;
    }
}
