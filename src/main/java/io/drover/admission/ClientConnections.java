package io.drover.admission;

/** How many connections each address has open. For any thread. */
public final class ClientConnections {
    private final Tallies open;

    /** @param maxKeys addresses that may be remembered though they have none, above 0 */
    public ClientConnections(int maxKeys) {
        this.open = new Tallies(maxKeys);
    }

    /**
     * Counts a connection unless its address has too many. One that was counted has to be {@linkplain #close closed} once.
     *
     * @param most connections at once from one address; 0: any number
     * @return false if it has too many: the connection is not counted
     */
    public boolean open(String address, int most) {
        return open.enter(address, most) != null;
    }

    /** Counts a connection no more for which {@link #open} gave true. */
    public void close(String address) {
        open.leave(address);
    }

    /** Connections of {@code address} at this moment. */
    public int of(String address) {
        return open.of(address);
    }

    /** Addresses remembered at this moment. */
    long size() {
        return open.size();
    }
}
