package io.drover.upstream;

/**
 * Whether an upstream connection may serve another request. Every regret of this field is a connection that went back
 * to the pool in a state nobody had proven clean, so all conditions stand here and all must hold.
 */
public final class ConnectionReuse {
    private ConnectionReuse() {}

    /**
     * @param responseComplete the response ended by its length or its last chunk, not by the connection's end
     * @param requestComplete every byte of the request was handed to the socket
     * @param surplus bytes came behind the response
     * @param close the backend asked for the connection to end, or speaks HTTP/1.0
     * @param draining this process is about to end
     */
    public static boolean decide(
            boolean responseComplete, boolean requestComplete, boolean surplus, boolean close, boolean draining) {
        return responseComplete && requestComplete && !surplus && !close && !draining;
    }
}
