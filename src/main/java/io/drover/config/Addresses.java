package io.drover.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Network addresses: what is accepted for them and how they are printed. */
public final class Addresses {
    /** Where to listen; port 0 lets the system choose one. A host name is looked up while reading. */
    static final Kind<InetSocketAddress> LISTEN = value -> parseListen(Kind.scalar(value, Addresses.LISTEN_EXPECTED));

    /** A backend's URL, without the slash at its end. */
    static final Kind<URI> BACKEND_URL = value -> parseUrl(Kind.scalar(value, Addresses.URL_EXPECTED));

    /** An address or a network. */
    static final Kind<Cidr> CIDR = value -> parseCidr(Kind.scalar(value, Addresses.CIDR_EXPECTED));

    /** What is sent as Host, or empty (RFC 9110 section 7.2). */
    static final Kind<String> HOST = Kind.text(
            "host or host:port", Pattern.compile("[A-Za-z0-9._:\\[\\]-]*").asMatchPredicate());

    /** What a certificate is for, or empty: a DNS name or an address, without a port. */
    static final Kind<String> TLS_NAME = Kind.text(
            "a host name or an address, without a port",
            Pattern.compile(
                            "|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*")
                    .asMatchPredicate());

    /** Where to discover backends; empty: nowhere. */
    static final Kind<Optional<DiscoveryName>> DISCOVERY = value -> {
        String text = Kind.scalar(value, DiscoveryName.EXPECTED).trim();
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(DiscoveryName.parse(text));
        } catch (IllegalArgumentException malformed) {
            throw new WrongValueException(DiscoveryName.EXPECTED);
        }
    };

    private static final String LISTEN_EXPECTED = "host:port, such as 0.0.0.0:8080";
    private static final String URL_EXPECTED = "http://host:port or https://host:port, without a path";
    private static final String CIDR_EXPECTED = "an address or a network, such as 10.0.0.0/8";
    private static final String PORT_EXPECTED = "a port from 0 to 65535";

    private static final Pattern HOST_PORT = Pattern.compile("(?:(\\[[0-9A-Fa-f:.]+\\]|[^:\\[\\]\\s]*):)?([0-9]+)");
    private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*");

    private Addresses() {}

    /**
     * Where to listen, as the key {@code listen} says it. A host name is looked up.
     *
     * @throws IllegalArgumentException with the value and what was expected instead
     */
    public static InetSocketAddress listen(String text) {
        try {
            return parseListen(text);
        } catch (WrongValueException wrong) {
            throw new IllegalArgumentException(text + " (expected: " + wrong.expected() + ")", wrong);
        }
    }

    private static InetSocketAddress parseListen(String text) throws WrongValueException {
        Matcher matcher = HOST_PORT.matcher(text.trim());
        if (!matcher.matches()) {
            throw new WrongValueException(LISTEN_EXPECTED);
        }
        String digits = matcher.group(2);
        if (digits.length() > 5 || Integer.parseInt(digits) > 65_535) {
            throw new WrongValueException(PORT_EXPECTED);
        }
        String host = matcher.group(1);
        boolean any = host == null || host.isEmpty() || host.equals("*");
        InetSocketAddress address = new InetSocketAddress(any ? "0.0.0.0" : host, Integer.parseInt(digits));
        if (address.isUnresolved()) {
            throw new WrongValueException("a host with an address");
        }
        return address;
    }

    private static URI parseUrl(String text) throws WrongValueException {
        URI uri;
        try {
            uri = new URI(text.trim());
        } catch (URISyntaxException notAUri) {
            throw new WrongValueException(URL_EXPECTED);
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        String authority = uri.getRawAuthority();
        if (!(scheme.equals("http") || scheme.equals("https")) || authority == null) {
            throw new WrongValueException(URL_EXPECTED);
        }
        if (uri.getRawUserInfo() != null || authority.indexOf('@') >= 0) {
            throw new WrongValueException(URL_EXPECTED + " and without a user; authorization is a key of its own");
        }
        if (uri.getHost() == null) {
            // Compose makes such names; java.net.URI refuses them as RFC 952 does.
            throw new WrongValueException(
                    authority.indexOf('_') >= 0 ? "a host name without _ (RFC 952)" : URL_EXPECTED);
        }
        String path = uri.getRawPath();
        boolean bare = path == null || path.isEmpty() || path.equals("/");
        if (!bare || uri.getRawQuery() != null || uri.getRawFragment() != null || authority.endsWith(":")) {
            throw new WrongValueException(URL_EXPECTED);
        }
        if (uri.getPort() == 0 || uri.getPort() > 65_535) {
            throw new WrongValueException("a port from 1 to 65535");
        }
        return URI.create(scheme + "://" + authority);
    }

    private static Cidr parseCidr(String text) throws WrongValueException {
        String trimmed = text.trim();
        int slash = trimmed.indexOf('/');
        String host = slash < 0 ? trimmed : trimmed.substring(0, slash);
        // Only literals: anything else would be looked up in the DNS.
        if (!IPV4.matcher(host).matches() && !IPV6.matcher(host).matches()) {
            throw new WrongValueException(CIDR_EXPECTED);
        }
        InetAddress address;
        try {
            address = InetAddress.getByName(host);
        } catch (UnknownHostException notAnAddress) {
            throw new WrongValueException(CIDR_EXPECTED);
        }
        int bits = address.getAddress().length * Byte.SIZE;
        if (slash < 0) {
            return new Cidr(address, bits);
        }
        String prefix = trimmed.substring(slash + 1);
        if (!prefix.matches("[0-9]{1,3}") || Integer.parseInt(prefix) > bits) {
            throw new WrongValueException(CIDR_EXPECTED + ", with at most " + bits + " bits");
        }
        return new Cidr(address, Integer.parseInt(prefix));
    }

    /**
     * Whether a URL's host is this machine by its spelling; a name is not looked up, since what it leads to may change.
     *
     * @param host as {@link URI#getHost} has it
     */
    static boolean isLoopback(@Nullable String host) {
        return host != null
                && (host.equals("localhost")
                        || host.equals("[::1]")
                        || (host.startsWith("127.") && IPV4.matcher(host).matches()));
    }

    /** {@code host:port}, an IPv6 address in brackets. */
    static String text(InetSocketAddress address) {
        String host = address.getHostString();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    static String text(Cidr network) {
        return network.address().getHostAddress() + "/" + network.prefixBits();
    }
}
