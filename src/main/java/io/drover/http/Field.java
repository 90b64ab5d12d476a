package io.drover.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Header fields that a proxy must understand; every other one passes as opaque bytes. */
public enum Field {
    HOST("Host"),
    CONTENT_LENGTH("Content-Length"),
    CONTENT_TYPE("Content-Type"),
    CONTENT_ENCODING("Content-Encoding"),
    EXPECT("Expect"),
    AUTHORIZATION("Authorization"),
    COOKIE("Cookie"),
    X_API_KEY("X-Api-Key"),
    ORIGIN("Origin"),
    ACCESS_CONTROL_REQUEST_METHOD("Access-Control-Request-Method"),
    ACCESS_CONTROL_REQUEST_HEADERS("Access-Control-Request-Headers"),
    ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK("Access-Control-Request-Private-Network"),
    ACCESS_CONTROL_ALLOW_ORIGIN("Access-Control-Allow-Origin"),
    ACCESS_CONTROL_ALLOW_METHODS("Access-Control-Allow-Methods"),
    ACCESS_CONTROL_ALLOW_HEADERS("Access-Control-Allow-Headers"),
    ACCESS_CONTROL_ALLOW_CREDENTIALS("Access-Control-Allow-Credentials"),
    ACCESS_CONTROL_EXPOSE_HEADERS("Access-Control-Expose-Headers"),
    ACCESS_CONTROL_MAX_AGE("Access-Control-Max-Age"),
    FORWARDED("Forwarded"),
    X_FORWARDED_FOR("X-Forwarded-For"),
    X_FORWARDED_PROTO("X-Forwarded-Proto"),
    X_FORWARDED_HOST("X-Forwarded-Host"),
    X_FORWARDED_PORT("X-Forwarded-Port"),
    X_REAL_IP("X-Real-IP"),
    X_REQUEST_ID("X-Request-Id"),
    X_DROVER_BACKEND("X-Drover-Backend"),
    CACHE_CONTROL("Cache-Control"),
    X_CACHE("X-Cache"),
    RETRY_AFTER("Retry-After"),
    RATE_LIMIT_LIMIT("RateLimit-Limit"),
    RATE_LIMIT_REMAINING("RateLimit-Remaining"),
    RATE_LIMIT_RESET("RateLimit-Reset"),

    // Hop by hop (RFC 9110, 7.6.1): never passed on.
    CONNECTION("Connection"),
    KEEP_ALIVE("Keep-Alive"),
    PROXY_CONNECTION("Proxy-Connection"),
    PROXY_AUTHENTICATE("Proxy-Authenticate"),
    PROXY_AUTHENTICATION_INFO("Proxy-Authentication-Info"),
    PROXY_AUTHORIZATION("Proxy-Authorization"),
    TE("TE"),
    TRAILER("Trailer"),
    TRANSFER_ENCODING("Transfer-Encoding"),
    UPGRADE("Upgrade"),
    HTTP2_SETTINGS("HTTP2-Settings");

    private static final Field[][] BY_LENGTH = byLength();

    private final String text;

    @SuppressWarnings("ImmutableEnumChecker") // never written after construction, never handed out
    private final byte[] lowerCase;

    Field(String text) {
        this.text = text;
        this.lowerCase = text.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.US_ASCII);
    }

    public String text() {
        return text;
    }

    /** Whether the field concerns one connection only and is never passed on. */
    public boolean isHopByHop() {
        return ordinal() >= CONNECTION.ordinal();
    }

    /** Whether the field belongs to a CORS exchange, which ends here. */
    public boolean isCors() {
        return ordinal() >= ORIGIN.ordinal() && ordinal() <= ACCESS_CONTROL_MAX_AGE.ordinal();
    }

    /** Whether the field tells of a limit on requests. */
    public boolean isRateLimit() {
        return this == RATE_LIMIT_LIMIT || this == RATE_LIMIT_REMAINING || this == RATE_LIMIT_RESET;
    }

    static @Nullable Field find(byte[] bytes, int from, int to) {
        int length = to - from;
        if (length >= BY_LENGTH.length) {
            return null;
        }
        for (Field field : BY_LENGTH[length]) {
            if (Octets.equalsIgnoreCase(bytes, from, to, field.lowerCase)) {
                return field;
            }
        }
        return null;
    }

    private static Field[][] byLength() {
        List<List<Field>> lists = new ArrayList<>();
        for (Field field : values()) {
            while (lists.size() <= field.lowerCase.length) {
                lists.add(new ArrayList<>());
            }
            lists.get(field.lowerCase.length).add(field);
        }
        return lists.stream().map(list -> list.toArray(Field[]::new)).toArray(Field[][]::new);
    }
}
