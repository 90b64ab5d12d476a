package io.drover.proxy;

import io.drover.cache.CachedAnswer;
import io.drover.metrics.Outcome;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An answer on its way that is recorded: to be kept, and so that whoever asks the same meanwhile follows it instead of
 * having it computed again. One exchange leads: it has the answer from a backend and records it here; the others read
 * what is published, each at its own pace.
 *
 * <p>What is recorded never changes once it is published, so that reading takes no lock. Methods of the leader are called
 * on its event loop, all others on any.
 */
final class Flight {
    private static final int FIRST_BLOCK = 2 * 1024;
    private static final int LARGEST_BLOCK = 64 * 1024;

    /** How much there may be that nobody has read yet, where it is not kept. */
    private static final int MOST_UNREAD = 256 * 1024;

    /** A part of the record; each is followed by a larger one. */
    static final class Block {
        final byte[] bytes;
        volatile @Nullable Block next;

        Block(int size) {
            bytes = new byte[size];
        }
    }

    /**
     * What followers are told of the answer's head.
     *
     * @param contentType the value of its field; empty: it has none
     * @param length of the body; -1: not known beforehand
     */
    record Head(int status, String contentType, long length) {}

    /**
     * How it ended.
     *
     * @param outcome of the leader's request; null where that goes on, or is no concern of others
     * @param answer for those who follow, which was kept before; null where there is none
     */
    record End(
            Kind kind, @Nullable Outcome outcome, @Nullable CachedAnswer answer) {
        enum Kind {
            /** What was published is all of it. */
            COMPLETE,
            /** It broke off behind what was published. */
            BROKEN,
            /** No backend answered; nothing was published. */
            FAILED,
            /** It need not be computed. */
            KEPT,
            /** Whoever follows must ask for itself; nothing was published. */
            DISSOLVED
        }

        static final End DISSOLVED = new End(Kind.DISSOLVED, null, null);
    }

    /** Who reads it. */
    interface Follower {
        /** There is more to read, or the end. On any thread. */
        void wake();

        /** How many bytes it has read. */
        long position();

        /** It is too far behind for the rest to be kept for it. On the leader's loop. */
        void giveUp();
    }

    /** Who gets it from a backend. */
    interface Leader {
        /** Somebody follows now. On any thread. */
        void onFollowed();

        /** Nobody follows any longer. On any thread. */
        void onDeserted();

        /** One who follows has read what there was too much of; see {@link #mustWait}. On any thread. */
        void onTaken();
    }

    private final Flights flights;
    private final Flights.@Nullable Key key;
    private final Leader leader;

    // Of the leader's loop.
    /** Where a record begins that nothing was published of. */
    private @Nullable Block beginning;

    private Block last;
    private int used;
    private long written;
    private long reserved;
    private @Nullable Head pendingHead;
    private boolean lost;
    /** Whether the leader's client reads as those who follow, or not at all. */
    private boolean apart;

    private volatile int followed;
    private volatile boolean waiting;
    private volatile @Nullable Head head;
    private volatile long published;
    private volatile @Nullable End end;

    // Guarded by this.
    private final List<Follower> followers = new ArrayList<>(0);
    /** An empty one before the record: where whoever joins begins. Null once it is too late for that. */
    private @Nullable Block first;

    /** @param key by which others find it; null: they cannot */
    Flight(Flights flights, Flights.@Nullable Key key, Leader leader) {
        this.flights = flights;
        this.key = key;
        this.leader = leader;
        this.last = new Block(0);
        this.first = last;
        this.beginning = last;
    }

    Flights.@Nullable Key key() {
        return key;
    }

    // ------------------------------------------------------------------ the leader

    /** An answer begins; it is told with {@link #publish}. */
    void begin(Head answer) {
        pendingHead = answer;
    }

    /** Records a part of the body; {@code buf} stays the caller's. */
    void append(ByteBuf buf, int from, int to) {
        if (end != null) {
            return;
        }
        if (lost && !isFollowed()) {
            giveBack(); // For answers that can be kept.
            return;
        }
        int at = from;
        while (at < to) {
            if (used == last.bytes.length && !extend()) {
                return;
            }
            Block block = last;
            int size = Math.min(to - at, block.bytes.length - used);
            buf.getBytes(at, block.bytes, used, size);
            used += size;
            at += size;
            written += size;
        }
    }

    /** Makes room for more; whether anybody will read it. */
    private boolean extend() {
        int size = Math.min(LARGEST_BLOCK, Math.max(FIRST_BLOCK, 2 * last.bytes.length));
        if (!lost && (written > flights.maxEntry() || !flights.reserve(size))) {
            lose();
        } else if (!lost) {
            reserved += size;
        }
        if (lost && !isFollowed()) {
            return false;
        }
        if (lost) {
            leaveBehind();
        }
        Block next = new Block(size);
        last.next = next;
        last = next;
        used = 0;
        return true;
    }

    /** It will not be kept, and nobody can join from the start any more. Those who follow it read on. */
    private void lose() {
        lost = true;
        close();
    }

    /** What is not kept is held for the slowest of those who follow: not too far behind the quickest of them. */
    private void leaveBehind() {
        List<Follower> all = snapshot();
        long quickest = quickest(all);
        for (Follower follower : all) {
            if (quickest - follower.position() > flights.maxEntry()) {
                follower.giveUp();
            }
        }
    }

    private long quickest(List<Follower> all) {
        long quickest = apart ? 0 : published;
        for (Follower follower : all) {
            quickest = Math.max(quickest, follower.position());
        }
        return quickest;
    }

    /** Whether even the quickest is too far behind to hold more for it; {@link Leader#onTaken} tells when to ask again. */
    boolean mustWait() {
        if (!lost || !apart || !isFollowed()) {
            waiting = false;
            return false;
        }
        // Before the look: whoever reads meanwhile tells.
        waiting = true;
        boolean unread = published - quickest(snapshot()) > MOST_UNREAD;
        waiting = unread;
        return unread;
    }

    /** The leader's client reads no more; whether somebody else does. Nobody can join where nobody does. */
    boolean goesOnWithoutLeader() {
        apart = true;
        return end == null && !closeIfDeserted();
    }

    /** What was recorded belongs to an answer that was dropped before it was published. */
    void reset() {
        last = Objects.requireNonNull(beginning);
        last.next = null;
        used = 0;
        written = 0;
        giveBack();
        pendingHead = null;
    }

    private void giveBack() {
        if (reserved > 0) {
            flights.giveBack(reserved);
            reserved = 0;
        }
    }

    /** Lets those who follow read what is recorded. */
    void publish() {
        boolean more = head == null || written > published;
        if (head == null) {
            head = pendingHead;
            beginning = null;
        }
        published = written;
        if (more) {
            wakeAll();
        }
    }

    /** How many bytes one reader may be behind the others, where not all of it is kept. */
    long maxBehind() {
        return flights.maxEntry();
    }

    /** All of the body; null where it was not recorded whole. */
    byte @Nullable [] body() {
        Block start = start();
        if (start == null || written > flights.maxEntry()) {
            return null;
        }
        byte[] body = new byte[(int) written];
        int at = 0;
        for (Block block = start; block != null && at < body.length; block = block.next) {
            int size = Math.min(block.bytes.length, body.length - at);
            System.arraycopy(block.bytes, 0, body, at, size);
            at += size;
        }
        return body;
    }

    /** The end; only the first one counts. Whoever joins before {@link #retire} has all of it at once. */
    void end(End how) {
        if (end == null) {
            if (how.kind() == End.Kind.BROKEN) {
                publish(); // What the leader's client has of it, the others have.
            }
            end = how;
            wakeAll();
        }
    }

    /** Nobody can join any more. */
    void retire() {
        close();
        giveBack();
    }

    /** Whether nobody follows and nobody can any more. */
    synchronized boolean closeIfDeserted() {
        if (followers.isEmpty()) {
            close();
        }
        return followers.isEmpty();
    }

    private synchronized void close() {
        first = null;
        flights.remove(this);
    }

    // ------------------------------------------------------------------ those who follow

    /** Where to begin to read; null where it is too late to join. */
    synchronized @Nullable Block join(Follower follower) {
        if (first != null) {
            add(follower);
        }
        return first;
    }

    /** For the leader's own client, which has all that was recorded so far and reads on from there. On the leader's loop. */
    synchronized Block joinBehind(Follower follower) {
        apart = true;
        add(follower);
        return last;
    }

    private void add(Follower follower) {
        followers.add(follower);
        followed = followers.size();
        flights.onFollow(1);
        if (followed == 1) {
            leader.onFollowed();
        }
    }

    /** It reads no more. */
    synchronized void leave(Follower follower) {
        if (followers.remove(follower)) {
            followed = followers.size();
            flights.onFollow(-1);
            if (followed == 0) {
                leader.onDeserted();
            }
        }
    }

    /** One who follows has read on. */
    void onRead() {
        if (waiting) {
            leader.onTaken();
        }
    }

    boolean isFollowed() {
        return followed > 0;
    }

    private synchronized List<Follower> snapshot() {
        return List.copyOf(followers);
    }

    private void wakeAll() {
        if (isFollowed()) {
            snapshot().forEach(Follower::wake);
        }
    }

    @Nullable
    Head head() {
        return head;
    }

    /** Bytes that can be read. */
    long published() {
        return published;
    }

    @Nullable
    End end() {
        return end;
    }

    private synchronized @Nullable Block start() {
        return first;
    }

    /** Bytes that are recorded. On the leader's loop. */
    long recorded() {
        return written;
    }

    /** How far into the block of {@link #joinBehind} is recorded. On the leader's loop. */
    int used() {
        return used;
    }
}
