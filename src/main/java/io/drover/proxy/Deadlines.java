package io.drover.proxy;

/**
 * The deadlines of one event loop: a timing wheel that is turned by the loop's own tick. Moving a deadline further away,
 * which happens with nearly every read, only writes a number; the wheel notices when the old time comes.
 *
 * <p>Netty's own timers cost an allocation and a heap operation each (see {@code docs/decisions.md}). Belongs to one
 * event loop.
 */
final class Deadlines {
    /** Granularity: deadlines are late by up to this long. */
    static final long TICK_NANOS = 32_000_000;

    private static final int SLOTS = 512;

    /** Something that has a deadline. */
    abstract static class Node {
        private Node previous = this;
        private Node next = this;
        private long atNanos;
        private long slotTick;

        /**
         * The deadline has come; it is no longer set.
         *
         * @param nowNanos the time
         */
        abstract void onDeadline(long nowNanos);

        private boolean isLinked() {
            return next != this;
        }

        private void unlink() {
            previous.next = next;
            next.previous = previous;
            next = this;
            previous = this;
        }

        private void linkBefore(Node other) {
            next = other;
            previous = other.previous;
            previous.next = this;
            other.previous = this;
        }
    }

    /** The end of a slot's ring; has no deadline of its own. */
    private static final class Sentinel extends Node {
        @Override
        void onDeadline(long nowNanos) {
            throw new IllegalStateException("a slot has no deadline");
        }
    }

    private final Node[] slots = new Node[SLOTS];
    private final Node firing = new Sentinel();
    private final long startNanos;
    private long tick;

    Deadlines(long nowNanos) {
        startNanos = nowNanos;
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new Sentinel();
        }
    }

    /** Sets or moves the deadline of {@code node}. */
    void set(Node node, long atNanos) {
        node.atNanos = atNanos;
        long due = tickOf(atNanos);
        if (!node.isLinked()) {
            link(node, due);
        } else if (due < node.slotTick) {
            node.unlink();
            link(node, due);
        }
    }

    /** Takes the deadline away. */
    void clear(Node node) {
        if (node.isLinked()) {
            node.unlink();
        }
    }

    /** Fires everything that is due. Called by the loop every {@link #TICK_NANOS}, or later. */
    void advance(long nowNanos) {
        long target = (nowNanos - startNanos) / TICK_NANOS;
        // After a long pause every slot is looked at once; more would find nothing new.
        long from = Math.max(tick, target - SLOTS);
        for (long t = from; t < target; t++) {
            tick = t + 1;
            fire(slots[(int) (t % SLOTS)], nowNanos);
        }
    }

    private void fire(Node slot, long nowNanos) {
        // The ring is taken off the slot first: what fires may set and clear any deadline, its neighbours' too.
        if (slot.isLinked()) {
            firing.linkBefore(slot);
            slot.unlink();
        }
        try {
            while (firing.isLinked()) {
                Node node = firing.next;
                node.unlink();
                if (node.atNanos <= nowNanos) {
                    node.onDeadline(nowNanos);
                } else {
                    link(node, tickOf(node.atNanos));
                }
            }
        } finally {
            // After a deadline that threw, the others are looked at again by the next tick.
            while (firing.isLinked()) {
                Node node = firing.next;
                node.unlink();
                link(node, tickOf(node.atNanos));
            }
        }
    }

    private void link(Node node, long due) {
        // Beyond the wheel's reach it waits in the furthest slot and is looked at again.
        long at = Math.min(Math.max(due, tick), tick + SLOTS - 1);
        node.slotTick = at;
        node.linkBefore(slots[(int) (at % SLOTS)]);
    }

    private long tickOf(long atNanos) {
        return (atNanos - startNanos) / TICK_NANOS;
    }
}
