package io.drover.config;

import java.net.IDN;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * The name under which backends are discovered: a host, or a service with SRV records (RFC 2782).
 *
 * @param name a host name, an address as text without brackets, or a service such as {@code _ollama._tcp.example.org}
 * @param port of the backends at the host's addresses; 0 for a service, whose records tell it
 */
public record DiscoveryName(String name, int port) {
    static final String EXPECTED =
            "host:port with a port from 1 to 65535, or a service such as _ollama._tcp.example.org";

    /** RFC 1035, 3.1, as text and without the dot at the end. */
    private static final int MAX_LENGTH = 253;

    /**
     * Reads {@code host:port} or the name of a service.
     *
     * @throws IllegalArgumentException with the value and what was expected instead
     */
    public static DiscoveryName parse(String text) {
        if (text.startsWith("_")) {
            return new DiscoveryName(checkName(text, text), 0);
        }
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw unexpected(text);
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
            checkIpV6(host, text);
        } else {
            checkName(host, text);
        }
        return new DiscoveryName(host, port(text.substring(colon + 1), text));
    }

    /** Whether SRV records tell where the backends are. */
    public boolean isService() {
        return port == 0;
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        if (isService()) {
            return name;
        }
        return (name.indexOf(':') >= 0 ? "[" + name + "]" : name) + ":" + port;
    }

    private static void checkIpV6(String host, String text) {
        try {
            // In brackets it is read as a literal, or not at all: nothing is looked up.
            InetAddress.getByName("[" + host + "]");
        } catch (UnknownHostException malformed) {
            throw unexpected(text);
        }
    }

    private static String checkName(String name, String text) {
        // IDN.toASCII lets these through; none of them can be in a name that a name server is asked for.
        boolean strange = name.chars().anyMatch(c -> c <= ' ' || ":/[]@\\".indexOf(c) >= 0);
        String plain = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        try {
            if (strange || plain.isEmpty() || IDN.toASCII(plain).length() > MAX_LENGTH) {
                throw unexpected(text);
            }
        } catch (IllegalArgumentException malformed) {
            throw unexpected(text);
        }
        return name;
    }

    private static int port(String digits, String text) {
        // Integer.parseInt would take a sign, and digits of other scripts.
        if (digits.isEmpty() || digits.length() > 5 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw unexpected(text);
        }
        int port = Integer.parseInt(digits);
        if (port < 1 || port > 65535) {
            throw unexpected(text);
        }
        return port;
    }

    private static IllegalArgumentException unexpected(String text) {
        return new IllegalArgumentException("\"" + text + "\" (expected: " + EXPECTED + ")");
    }
}
