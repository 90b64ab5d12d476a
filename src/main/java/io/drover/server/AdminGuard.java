package io.drover.server;

import io.drover.ollama.Origins;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.util.NetUtil;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Keeps web pages from using the admin port through the browser of somebody who can reach it: a page of another origin, a
 * page whose name has been made to point here (DNS rebinding), and a form or a script that needs no leave.
 */
final class AdminGuard {
    /** A page can send it only with leave of this port, and it never gives that (the Fetch standard, CORS preflight). */
    static final String HEADER = "X-Drover";

    private final List<String> hosts;

    /** @param hosts names by which this port may be called, besides localhost and addresses */
    AdminGuard(List<String> hosts) {
        this.hosts = hosts.stream().map(host -> host.toLowerCase(Locale.ROOT)).toList();
    }

    /** Why the request is refused; null if it is not. */
    @Nullable
    String refusal(FullHttpRequest request) {
        String authority = request.headers().get(HttpHeaderNames.HOST, "");
        String host = hostOf(authority);
        if (!isKnown(host)) {
            return "Host \"" + host + "\" (expected: localhost, an address, or one of admin.hosts)";
        }
        String origin = request.headers().get(HttpHeaderNames.ORIGIN);
        if (origin != null && !Origins.sameOrigin(origin, authority)) {
            return "Origin " + origin + " (expected: none, or this port's own)";
        }
        boolean reads =
                request.method().equals(HttpMethod.GET) || request.method().equals(HttpMethod.HEAD);
        if (!reads && !"1".equals(request.headers().get(HEADER))) {
            return "no header " + HEADER + ": 1 (expected with " + request.method()
                    + ", so that no web page can send it)";
        }
        return null;
    }

    private boolean isKnown(String host) {
        return host.equals("localhost")
                || NetUtil.createInetAddressFromIpAddressString(host) != null
                || hosts.contains(host);
    }

    /** The name or address without port and brackets, in lower case; empty if it is none. */
    private static String hostOf(String authority) {
        try {
            String host = URI.create("http://" + authority).getHost();
            return host == null ? "" : host.replaceAll("[\\[\\]]", "").toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException malformed) {
            return "";
        }
    }
}
