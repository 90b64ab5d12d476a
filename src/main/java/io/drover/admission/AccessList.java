package io.drover.admission;

import io.drover.config.Cidr;
import io.drover.config.DroverConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** From which addresses requests are answered at all: {@code access.allow} and {@code access.deny}. Immutable. */
public final class AccessList {
    private final Network[] allowed;
    private final Network[] denied;

    public AccessList(DroverConfig.Access config) {
        allowed = networks(config.allow());
        denied = networks(config.deny());
    }

    /**
     * Whether a client there is answered. What is denied stays so though it is allowed too, in whatever order the
     * configuration has them. Allocates nothing.
     *
     * @param address null: not known, and in no network
     */
    public boolean allows(@Nullable IpAddress address) {
        return (allowed.length == 0 || isIn(allowed, address)) && !isIn(denied, address);
    }

    private static boolean isIn(Network[] networks, @Nullable IpAddress address) {
        if (address == null) {
            return false;
        }
        for (Network network : networks) {
            if (network.contains(address)) {
                return true;
            }
        }
        return false;
    }

    private static Network[] networks(List<Cidr> configured) {
        return configured.stream().map(Network::of).toArray(Network[]::new);
    }

    /** A network, with the bits that count as masks. */
    private record Network(IpAddress address, long highMask, long lowMask) {
        static Network of(Cidr cidr) {
            IpAddress address = IpAddress.of(cidr.address());
            int bits = cidr.prefixBits();
            return address.v4()
                    ? new Network(address, 0, leading(bits + Integer.SIZE))
                    : new Network(address, leading(Math.min(bits, Long.SIZE)), leading(Math.max(0, bits - Long.SIZE)));
        }

        /** A shift by 64 would be none. */
        private static long leading(int bits) {
            return bits == 0 ? 0 : -1L << (Long.SIZE - bits);
        }

        boolean contains(IpAddress other) {
            return address.v4() == other.v4()
                    && ((address.high() ^ other.high()) & highMask) == 0
                    && ((address.low() ^ other.low()) & lowMask) == 0;
        }
    }
}
