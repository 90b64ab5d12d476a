package io.drover.ollama;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The routes of Ollama and of Drover itself: from method and path, as bytes, to an {@link Endpoint}. Looking up a path
 * allocates nothing, unless it is percent-encoded.
 */
public final class RouteTable {
    /** Routes whose path is fixed, by its length: at most a handful share one, so comparing beats hashing. */
    private static final Route[][] BY_LENGTH = byLength(
            route("POST", "/api/chat", Endpoint.CHAT),
            route("POST", "/api/generate", Endpoint.GENERATE),
            route("POST", "/api/embed", Endpoint.EMBED),
            route("POST", "/api/embeddings", Endpoint.EMBEDDINGS),
            route("POST", "/v1/chat/completions", Endpoint.V1_CHAT_COMPLETIONS),
            route("POST", "/v1/completions", Endpoint.V1_COMPLETIONS),
            route("POST", "/v1/embeddings", Endpoint.V1_EMBEDDINGS),
            route("POST", "/v1/responses", Endpoint.V1_RESPONSES),
            route("POST", "/v1/messages", Endpoint.V1_MESSAGES),
            route("POST", "/v1/audio/transcriptions", Endpoint.V1_TRANSCRIPTIONS),
            route("GET", "/", Endpoint.ROOT),
            route("HEAD", "/", Endpoint.ROOT),
            route("GET", "/api/version", Endpoint.VERSION),
            route("HEAD", "/api/version", Endpoint.VERSION),
            route("GET", "/api/status", Endpoint.STATUS),
            route("GET", "/api/ps", Endpoint.PS),
            route("GET", "/api/tags", Endpoint.TAGS),
            route("HEAD", "/api/tags", Endpoint.TAGS),
            route("POST", "/api/show", Endpoint.SHOW),
            route("GET", "/v1/models", Endpoint.V1_MODELS),
            route("POST", "/api/pull", Endpoint.PULL),
            route("POST", "/api/push", Endpoint.PUSH),
            route("POST", "/api/create", Endpoint.CREATE),
            route("POST", "/api/copy", Endpoint.COPY),
            route("DELETE", "/api/delete", Endpoint.DELETE),
            route("POST", "/api/me", Endpoint.ME),
            route("POST", "/api/signout", Endpoint.SIGNOUT),
            route("POST", "/api/experimental/web_search", Endpoint.WEB_SEARCH),
            route("POST", "/api/experimental/web_fetch", Endpoint.WEB_FETCH),
            route("GET", "/api/experimental/model-recommendations", Endpoint.RECOMMENDATIONS),
            route("GET", "/health", Endpoint.HEALTH),
            route("HEAD", "/health", Endpoint.HEALTH),
            route("GET", "/ready", Endpoint.READY),
            route("HEAD", "/ready", Endpoint.READY));

    /** Routes whose path goes on with one segment of any content. */
    private static final Route[] WITH_SEGMENT = {
        route("POST", "/api/blobs/", Endpoint.BLOBS),
        route("HEAD", "/api/blobs/", Endpoint.BLOBS),
        route("GET", "/v1/models/", Endpoint.V1_MODEL),
        route("DELETE", "/api/user/keys/", Endpoint.USER_KEYS)
    };

    private static final byte[] DEBUG = ascii("debug");
    private static final byte[] V1 = ascii("/v1/");
    private static final byte[] MESSAGES = ascii("/v1/messages");

    private RouteTable() {}

    /**
     * The endpoint of a request.
     *
     * @param bytes holds the request line; only read
     * @param pathLength of the path alone, without the query
     */
    public static Endpoint match(byte[] bytes, int methodStart, int methodLength, int pathStart, int pathLength) {
        int methodEnd = methodStart + methodLength;
        int pathEnd = pathStart + pathLength;
        Endpoint known = known(bytes, methodStart, methodEnd, bytes, pathStart, pathEnd);
        if (known != null) {
            return known;
        }
        if (indexOf(bytes, pathStart, pathEnd, '%') < 0) {
            return unknown(bytes, pathStart, pathEnd);
        }
        // Ollama's router matches the decoded path: what it would run must be what is decided upon here.
        byte[] path = decoded(bytes, pathStart, pathEnd);
        known = known(bytes, methodStart, methodEnd, path, 0, path.length);
        return known != null ? known : unknown(path, 0, path.length);
    }

    /**
     * The last segment of a path, decoded as for {@link #match}: the model that {@link Endpoint#V1_MODEL} names.
     *
     * @param bytes only read
     */
    public static String lastSegment(byte[] bytes, int pathStart, int pathLength) {
        String path = new String(decoded(bytes, pathStart, pathStart + pathLength), StandardCharsets.UTF_8);
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private static @Nullable Endpoint known(
            byte[] bytes, int methodStart, int methodEnd, byte[] path, int pathStart, int pathEnd) {
        int length = pathEnd - pathStart;
        if (length < BY_LENGTH.length) {
            for (Route route : BY_LENGTH[length]) {
                if (route.is(bytes, methodStart, methodEnd, path, pathStart, pathEnd)) {
                    return route.endpoint;
                }
            }
        }
        for (Route route : WITH_SEGMENT) {
            int segment = pathStart + route.path.length;
            if (segment < pathEnd
                    && route.is(bytes, methodStart, methodEnd, path, pathStart, segment)
                    && isPlainSegment(path, segment, pathEnd)) {
                return route.endpoint;
            }
        }
        return null;
    }

    /** Whether it is one segment that a router takes literally: neither encoded nor a step to another directory. */
    private static boolean isPlainSegment(byte[] path, int start, int end) {
        if (indexOf(path, start, end, '/') >= 0 || indexOf(path, start, end, '%') >= 0) {
            return false;
        }
        return !isDots(path, start, end);
    }

    private static Endpoint unknown(byte[] path, int start, int end) {
        if (entersDebug(path, start, end)) {
            return Endpoint.BLOCKED;
        }
        if (!startsWith(path, start, end, V1)) {
            return Endpoint.OTHER;
        }
        int afterMessages = start + MESSAGES.length;
        boolean messages =
                startsWith(path, start, end, MESSAGES) && (afterMessages == end || path[afterMessages] == '/');
        return messages ? Endpoint.OTHER_ANTHROPIC : Endpoint.OTHER_OPENAI;
    }

    /** Whether a server that resolves empty, {@code .} and {@code ..} segments would come through {@code /debug}. */
    private static boolean entersDebug(byte[] path, int start, int end) {
        int depth = 0;
        int segment = start;
        while (segment < end) {
            int slash = indexOf(path, segment, end, '/');
            int segmentEnd = slash < 0 ? end : slash;
            int length = segmentEnd - segment;
            if (isDots(path, segment, segmentEnd)) {
                depth = Math.max(0, depth - (length - 1));
            } else if (length > 0) {
                if (depth == 0 && Arrays.equals(path, segment, segmentEnd, DEBUG, 0, DEBUG.length)) {
                    return true;
                }
                depth++;
            }
            segment = segmentEnd + 1;
        }
        return false;
    }

    private static boolean isDots(byte[] path, int start, int end) {
        int length = end - start;
        return (length == 1 || length == 2) && path[start] == '.' && path[end - 1] == '.';
    }

    /** The path with each valid {@code %XX} replaced by its byte, once, as Go's {@code net/url} does. */
    private static byte[] decoded(byte[] bytes, int start, int end) {
        byte[] path = new byte[end - start];
        int length = 0;
        int at = start;
        while (at < end) {
            byte next = bytes[at++];
            if (next == '%' && at + 1 < end) {
                int high = Character.digit(bytes[at], 16);
                int low = Character.digit(bytes[at + 1], 16);
                if (high >= 0 && low >= 0) {
                    next = (byte) (high << 4 | low);
                    at += 2;
                }
            }
            path[length++] = next;
        }
        return Arrays.copyOf(path, length);
    }

    private static boolean startsWith(byte[] path, int start, int end, byte[] prefix) {
        return end - start >= prefix.length
                && Arrays.equals(path, start, start + prefix.length, prefix, 0, prefix.length);
    }

    private static int indexOf(byte[] bytes, int start, int end, char wanted) {
        for (int i = start; i < end; i++) {
            if (bytes[i] == wanted) {
                return i;
            }
        }
        return -1;
    }

    private static Route route(String method, String path, Endpoint endpoint) {
        return new Route(ascii(method), ascii(path), endpoint);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static Route[][] byLength(Route... routes) {
        int longest = Arrays.stream(routes).mapToInt(r -> r.path.length).max().orElse(0);
        Route[][] table = new Route[longest + 1][];
        for (int length = 0; length <= longest; length++) {
            int wanted = length;
            table[length] =
                    Arrays.stream(routes).filter(r -> r.path.length == wanted).toArray(Route[]::new);
        }
        return table;
    }

    private static final class Route {
        final byte[] method;
        final byte[] path;
        final Endpoint endpoint;

        Route(byte[] method, byte[] path, Endpoint endpoint) {
            this.method = method;
            this.path = path;
            this.endpoint = endpoint;
        }

        boolean is(byte[] bytes, int methodStart, int methodEnd, byte[] target, int pathStart, int pathEnd) {
            return Arrays.equals(target, pathStart, pathEnd, path, 0, path.length)
                    && Arrays.equals(bytes, methodStart, methodEnd, method, 0, method.length);
        }
    }
}
