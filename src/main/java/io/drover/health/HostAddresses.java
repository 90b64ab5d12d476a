package io.drover.health;

import java.net.InetAddress;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is known of one host's addresses, by family: one may be known while the other is not. */
record HostAddresses(Answer<InetAddress> v4, Answer<InetAddress> v6) {
    /** Before the first look-up. */
    static final HostAddresses NONE = new HostAddresses(Answer.none(""), Answer.none(""));

    static HostAddresses of(List<InetAddress> addresses) {
        return new HostAddresses(Answer.of(addresses), Answer.none(""));
    }

    Stream<InetAddress> all() {
        return Stream.concat(v4.records().stream(), v6.records().stream());
    }

    boolean isEmpty() {
        return v4.records().isEmpty() && v6.records().isEmpty();
    }

    boolean isKnown() {
        return v4.known() && v6.known();
    }

    /** Why not all is known; null if all is. */
    @Nullable
    String failure() {
        if (!v4.known()) {
            return v4.reason();
        }
        return v6.known() ? null : v6.reason();
    }

    /** This, with earlier addresses of the families that are not known. */
    HostAddresses orAddressesOf(HostAddresses earlier) {
        return new HostAddresses(v4.orRecordsOf(earlier.v4), v6.orRecordsOf(earlier.v6));
    }
}
