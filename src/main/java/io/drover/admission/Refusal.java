package io.drover.admission;

/**
 * Why a request that was read whole is not sent to a backend.
 *
 * @param status 400 or 403
 * @param message for the client; shows at most a word of what it sent, since it stands in the log too
 */
public record Refusal(int status, String message) {}
