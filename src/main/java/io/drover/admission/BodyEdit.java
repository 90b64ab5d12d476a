package io.drover.admission;

/**
 * A change of a request's body.
 *
 * @param from offset of the first byte that goes
 * @param to offset behind the last one; {@code from}: none goes
 * @param text ASCII that comes in their place
 */
public record BodyEdit(long from, long to, String text) {}
