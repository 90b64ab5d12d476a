package io.drover.config;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who shares a bucket.
 *
 * @param header the field's name in lower case, where {@code by} is {@link By#HEADER}; else empty
 */
public record LimitKey(By by, String header) {
    static final String EXPECTED = "client-ip, api-key, model, all or header:NAME";

    private static final Pattern HEADER = Pattern.compile("header:([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})");

    /** What of a request tells the bucket. */
    public enum By {
        /** The client's address. */
        CLIENT_IP,
        /** The name of the caller's key, token or user; without one, the client's address. */
        API_KEY,
        MODEL,
        /** The value of a header field; requests without it share a bucket. */
        HEADER,
        /** All requests share one. */
        ALL
    }

    /** @return empty if the text is none */
    static Optional<LimitKey> parse(String text) {
        return switch (text) {
            case "client-ip" -> Optional.of(new LimitKey(By.CLIENT_IP, ""));
            case "api-key" -> Optional.of(new LimitKey(By.API_KEY, ""));
            case "model" -> Optional.of(new LimitKey(By.MODEL, ""));
            case "all" -> Optional.of(new LimitKey(By.ALL, ""));
            default -> {
                Matcher header = HEADER.matcher(text);
                yield header.matches()
                        ? Optional.of(new LimitKey(By.HEADER, header.group(1).toLowerCase(Locale.ROOT)))
                        : Optional.empty();
            }
        };
    }

    /** As it is written in a file. */
    @Override
    public String toString() {
        return switch (by) {
            case CLIENT_IP -> "client-ip";
            case API_KEY -> "api-key";
            case MODEL -> "model";
            case ALL -> "all";
            case HEADER -> "header:" + header;
        };
    }
}
