package io.drover.metrics;

import java.nio.ByteBuffer;

/**
 * What the audit log may tell of a request's body.
 *
 * @param bytes UTF-8, as far as it was kept; nobody changes it any more
 * @param cut whether not all of the body is in it
 * @param prompt whether it is written as it is; else only the names of models in it are
 */
public record AuditedBody(ByteBuffer bytes, boolean cut, boolean prompt) {
    /** What it takes of the memory, which may be twice what is in it. */
    int heldBytes() {
        return bytes.capacity();
    }
}
