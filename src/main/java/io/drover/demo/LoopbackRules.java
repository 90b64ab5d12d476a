package io.drover.demo;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.regex.Pattern;

/** Which Host and Origin a server bound to a loopback address accepts. Anything else gets 403 and no body. */
final class LoopbackRules {
    private static final Pattern ORIGINS =
            Pattern.compile("(https?://(localhost|127\\.0\\.0\\.1|0\\.0\\.0\\.0)(:\\d+)?)"
                    + "|((app|file|tauri|vscode-webview|vscode-file)://.*)");
    private static final String ALLOWED_HEADERS = "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,"
            + "OpenAI-Beta,x-stainless-arch,x-stainless-async,x-stainless-custom-poll-interval,"
            + "x-stainless-helper-method,x-stainless-lang,x-stainless-os,x-stainless-package-version,"
            + "x-stainless-poll-helper,x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,"
            + "x-stainless-timeout";

    /** Answers what these rules decide; false: the request may go on. First the origin, then the host, as there. */
    boolean answers(Incoming in) {
        String host = in.header(HttpHeaderNames.HOST);
        String origin = in.header(HttpHeaderNames.ORIGIN);
        boolean options = in.request().method().name().equals("OPTIONS");
        boolean foreign = !origin.isEmpty() && !origin.equals("http://" + host) && !origin.equals("https://" + host);
        if (foreign) {
            if (!ORIGINS.matcher(origin).matches()) {
                in.ignoreBody(() -> in.answer().empty(403));
                return true;
            }
            in.answer().header(HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            in.answer().header(HttpHeaderNames.VARY, "Origin");
            if (options) {
                preflight(in);
                return true;
            }
        }
        if (!accepts(host)) {
            in.ignoreBody(() -> in.answer().empty(403));
            return true;
        }
        if (options) {
            in.ignoreBody(() -> in.answer().empty(204));
        }
        return options;
    }

    private static void preflight(Incoming in) {
        in.answer().header(HttpHeaderNames.ACCESS_CONTROL_ALLOW_METHODS, "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS");
        in.answer().header(HttpHeaderNames.ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
        in.answer().header(HttpHeaderNames.ACCESS_CONTROL_MAX_AGE, "43200");
        in.ignoreBody(() -> in.answer().empty(204));
    }

    static boolean accepts(String authority) {
        String host = authority.toLowerCase(Locale.ROOT).replaceFirst(":\\d*$", "");
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
        if (literal != null) {
            return isNear(literal);
        }
        return host.isEmpty()
                || host.equals("localhost")
                || host.endsWith(".localhost")
                || host.endsWith(".local")
                || host.endsWith(".internal");
    }

    private static boolean isNear(byte[] literal) {
        try {
            InetAddress address = InetAddress.getByAddress(literal);
            boolean uniqueLocal = literal.length == 16 && (literal[0] & 0xfe) == 0xfc;
            return address.isLoopbackAddress()
                    || address.isAnyLocalAddress()
                    || address.isSiteLocalAddress()
                    || uniqueLocal;
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
