package io.drover.testing;

import io.drover.config.DroverConfig.TransportKind;
import io.drover.server.Transport;
import java.util.stream.Stream;

/** What drives the sockets of a {@link Drover}: a transport that works here, and so many event loops. */
public record Engine(TransportKind transport, int loops) {
    /** Every transport of this machine, on one loop and on several. */
    public static Stream<Engine> all() {
        // On two loops the first client's is not the one that accepts: connections are handed over.
        return Transport.available().stream().flatMap(kind -> Stream.of(1, 2).map(loops -> new Engine(kind, loops)));
    }

    @Override
    public String toString() {
        return transport + ", " + (loops == 1 ? "1 loop" : loops + " loops");
    }
}
