package io.drover.health;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Comparator;

/**
 * A backend that discovery found.
 *
 * @param address resolved; unique among those found together
 * @param host the name that led to the address, or the address as text where none did; without a dot at its end
 * @param weight 1 to 65,535
 * @param backup for use only when no other is up
 */
public record Found(InetSocketAddress address, String host, int weight, boolean backup) {
    /** A total order: equal sets compare equal in whatever order a name server gave them. Backups come last. */
    static final Comparator<Found> ORDER = Comparator.comparing(Found::backup)
            .thenComparingInt(found -> bytes(found).length)
            .thenComparing(Found::bytes, Arrays::compareUnsigned)
            .thenComparingInt(found -> found.address.getPort())
            .thenComparing(Found::host)
            .thenComparingInt(Found::weight);

    private static byte[] bytes(Found found) {
        return found.address.getAddress().getAddress();
    }
}
