package io.drover.health;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.dns.DefaultDnsRecordDecoder;
import java.util.Comparator;
import java.util.Locale;

/**
 * A host and port at which backends are to be found: what an SRV record tells (RFC 2782).
 *
 * @param host as it is looked up
 * @param priority the lowest is used first
 */
record Target(String host, int port, int weight, int priority) {
    static final Comparator<Target> ORDER = Comparator.comparingInt(Target::priority)
            .thenComparing(Target::host)
            .thenComparingInt(Target::port)
            .thenComparingInt(Target::weight);

    /** Reads an SRV record. The host has its dot at the end: it is complete, no domain is to be searched. */
    static Target decode(ByteBuf content) {
        // Through a duplicate, whose indices say where compressed names point to.
        ByteBuf in = content.duplicate();
        int priority = in.readUnsignedShort();
        int weight = in.readUnsignedShort();
        int port = in.readUnsignedShort();
        String host = DefaultDnsRecordDecoder.decodeName(in).toLowerCase(Locale.ROOT);
        return new Target(host, port, Math.max(1, weight), priority);
    }

    /** Whether there is anything: a root as host says that the service is decidedly not available here. */
    boolean exists() {
        return !host.equals(".") && port != 0;
    }

    /** The host without the dot at its end. */
    String plainHost() {
        return host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    }
}
