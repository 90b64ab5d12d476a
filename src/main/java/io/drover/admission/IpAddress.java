package io.drover.admission;

import java.net.Inet4Address;
import java.net.InetAddress;

/**
 * An address as numbers, so that comparing it with a network costs no array. Immutable.
 *
 * @param high the first 64 bits of an IPv6 address; 0 for IPv4
 * @param low the last 64 bits of an IPv6 address, or the 32 of an IPv4 address
 */
public record IpAddress(boolean v4, long high, long low) {
    private static final int HALF = Long.BYTES;

    public static IpAddress of(InetAddress address) {
        byte[] bytes = address.getAddress();
        return address instanceof Inet4Address
                ? new IpAddress(true, 0, number(bytes, 0, bytes.length))
                : new IpAddress(false, number(bytes, 0, HALF), number(bytes, HALF, bytes.length));
    }

    private static long number(byte[] bytes, int from, int to) {
        long number = 0;
        for (int i = from; i < to; i++) {
            number = number << Byte.SIZE | (bytes[i] & 0xff);
        }
        return number;
    }
}
