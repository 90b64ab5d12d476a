package io.drover.config;

import java.net.InetAddress;

/** A network: an address and the number of its leading bits that count, as in {@code 10.0.0.0/8} or {@code ::1}. */
public record Cidr(InetAddress address, int prefixBits) {

    /** Whether {@code candidate} lies in this network; an IPv4 address never lies in an IPv6 network, nor the reverse. */
    public boolean contains(InetAddress candidate) {
        byte[] network = address.getAddress();
        byte[] other = candidate.getAddress();
        if (network.length != other.length) {
            return false;
        }
        int wholeBytes = prefixBits / Byte.SIZE;
        for (int i = 0; i < wholeBytes; i++) {
            if (network[i] != other[i]) {
                return false;
            }
        }
        int restBits = prefixBits % Byte.SIZE;
        if (restBits == 0) {
            return true;
        }
        int mask = 0xff << (Byte.SIZE - restBits);
        return (network[wholeBytes] & mask) == (other[wholeBytes] & mask);
    }
}
