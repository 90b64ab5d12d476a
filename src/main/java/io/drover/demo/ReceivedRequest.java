package io.drover.demo;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * One request as it arrived.
 *
 * @param uri as it stood in the request line
 * @param headers in the order they came, spelled as they came
 * @param bodyLength bytes read of the body, without its framing
 * @param sha256 of those bytes, 64 hex digits
 * @param body those bytes if they are fewer than 64 KiB, else empty
 * @param complete whether the body was read to its end
 */
// Never compared; bytes are what a test wants to look at.
@SuppressWarnings("ArrayRecordComponent")
public record ReceivedRequest(
        String method,
        String uri,
        List<Map.Entry<String, String>> headers,
        long bodyLength,
        String sha256,
        byte[] body,
        boolean complete) {

    public ReceivedRequest {
        headers = List.copyOf(headers);
    }

    /** All values of a header, its name in any case. */
    public List<String> header(String name) {
        return headers.stream()
                .filter(h -> h.getKey().equalsIgnoreCase(name))
                .map(Map.Entry::getValue)
                .toList();
    }

    /** The kept body as text. */
    public String text() {
        return new String(body, StandardCharsets.UTF_8);
    }
}
