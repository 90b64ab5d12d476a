package io.drover.ollama;

import io.netty.util.NetUtil;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Which web pages may call: Ollama's default list of origins, and the configured ones. Drover decides it at the front,
 * with the same list as Ollama, because a backend would compare the origin with a Host that Drover has replaced.
 */
public final class Origins {
    /** Value of {@code Access-Control-Allow-Methods} in the answer to a preflight. */
    public static final String ALLOW_METHODS = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS";
    /** Value of {@code Access-Control-Max-Age}, seconds. */
    public static final String MAX_AGE = "43200";
    /** Value of {@code Access-Control-Allow-Headers}: Ollama's list, then what browsers send to {@code /v1/messages}. */
    public static final String ALLOW_HEADERS =
            "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,OpenAI-Beta,"
                    + "x-stainless-arch,x-stainless-async,x-stainless-custom-poll-interval,x-stainless-helper-method,"
                    + "x-stainless-lang,x-stainless-os,x-stainless-package-version,x-stainless-poll-helper,"
                    + "x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout,"
                    + "anthropic-version,anthropic-beta,anthropic-dangerous-direct-browser-access,x-api-key,x-request-id";

    private static final List<String> LOCAL_HOSTS = List.of("localhost", "127.0.0.1", "0.0.0.0");
    private static final List<String> APPLICATIONS =
            List.of("app://*", "file://*", "tauri://*", "vscode-webview://*", "vscode-file://*");

    private static final List<String> LOCAL_DOMAINS = List.of(".localhost", ".local", ".internal");

    private final List<Pattern> patterns;
    private final boolean all;

    /**
     * Ollama's list and more.
     *
     * @param extra further origins, each with at most one {@code *}, which stands for any text; {@code *} alone is all
     * @throws IllegalArgumentException for an entry with two of them
     */
    public Origins(List<String> extra) {
        List<Pattern> list = new ArrayList<>();
        for (String host : LOCAL_HOSTS) {
            for (String scheme : List.of("http://", "https://")) {
                list.add(Pattern.of(scheme + host));
                list.add(Pattern.of(scheme + host + ":*"));
            }
        }
        APPLICATIONS.forEach(origin -> list.add(Pattern.of(origin)));
        extra.forEach(origin -> list.add(Pattern.of(origin)));
        this.patterns = List.copyOf(list);
        this.all = patterns.stream().anyMatch(Pattern::isEverything);
    }

    /** Whether every origin is allowed; the answer then says {@code *} and needs no {@code Vary}. */
    public boolean allowsAll() {
        return all;
    }

    /** Whether pages of this origin may call. */
    public boolean allows(String origin) {
        if (all) {
            return true;
        }
        String wanted = origin.toLowerCase(Locale.ROOT);
        for (Pattern pattern : patterns) {
            if (pattern.matches(wanted)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the page came from the very address it calls: the origin is the Host header behind http or https. */
    public static boolean sameOrigin(String origin, String host) {
        return isOriginOf("http://", origin, host) || isOriginOf("https://", origin, host);
    }

    /**
     * Whether a Host header names a machine nearby, as Ollama demands of one that reaches a loopback listener: else a
     * foreign page could have its own name resolved to 127.0.0.1 and would count as of the same origin. The machine's
     * own name and public addresses are not known here.
     */
    public static boolean isLocal(String host) {
        String name = withoutPort(host).toLowerCase(Locale.ROOT);
        if (name.isEmpty() || name.equals("localhost")) {
            return true;
        }
        byte[] address = NetUtil.createByteArrayFromIpAddressString(name);
        return address == null ? LOCAL_DOMAINS.stream().anyMatch(name::endsWith) : isLocal(address);
    }

    private static boolean isLocal(byte[] bytes) {
        try {
            InetAddress address = InetAddress.getByAddress(bytes);
            boolean uniqueLocal = bytes.length == 16 && (bytes[0] & 0xfe) == 0xfc; // RFC 4193
            return uniqueLocal
                    || address.isLoopbackAddress()
                    || address.isAnyLocalAddress()
                    || (address instanceof Inet4Address && address.isSiteLocalAddress());
        } catch (UnknownHostException e) {
            return false; // not of 4 or 16 bytes
        }
    }

    private static String withoutPort(String host) {
        if (host.startsWith("[")) {
            int bracket = host.indexOf(']');
            return bracket < 0 ? host : host.substring(1, bracket);
        }
        int colon = host.indexOf(':');
        return colon < 0 || colon != host.lastIndexOf(':') ? host : host.substring(0, colon);
    }

    private static boolean isOriginOf(String scheme, String origin, String host) {
        return origin.length() == scheme.length() + host.length()
                && origin.regionMatches(true, 0, scheme, 0, scheme.length())
                && origin.regionMatches(true, scheme.length(), host, 0, host.length());
    }

    /** What comes before and after the wildcard; without one, {@code tail} is empty and {@code open} false. */
    private record Pattern(String head, String tail, boolean open) {
        static Pattern of(String origin) {
            String text = origin.strip().toLowerCase(Locale.ROOT);
            int star = text.indexOf('*');
            if (star != text.lastIndexOf('*')) {
                throw new IllegalArgumentException("origin: " + origin + " (expected: at most one *)");
            }
            return star < 0
                    ? new Pattern(text, "", false)
                    : new Pattern(text.substring(0, star), text.substring(star + 1), true);
        }

        boolean isEverything() {
            return open && head.isEmpty() && tail.isEmpty();
        }

        boolean matches(String origin) {
            if (!open) {
                return origin.equals(head);
            }
            return origin.length() >= head.length() + tail.length() && origin.startsWith(head) && origin.endsWith(tail);
        }
    }
}
