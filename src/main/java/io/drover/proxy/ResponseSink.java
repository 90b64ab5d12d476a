package io.drover.proxy;

import io.drover.http.BodyFraming;
import io.drover.http.MessageHead;
import io.drover.upstream.UpstreamConnection;
import io.netty.buffer.ByteBuf;

/**
 * Where the answer of one {@link Call} goes. It keeps the two sides of an exchange apart: whatever stands behind it, a
 * client over HTTP/1.1 or anything to come, the call does not know. All calls come on the exchange's event loop.
 */
interface ResponseSink {
    /** A connection is there; the request can be written to it. */
    void onConnected(UpstreamConnection connection);

    /** The backend wants the body of a request that expects 100 (RFC 9110, 10.1.1). */
    void onContinue();

    /**
     * The final response begins.
     *
     * @param head valid until the call is released
     */
    void onHead(MessageHead head, BodyFraming framing);

    /**
     * A part of the response's body.
     *
     * @param wire proven bytes as the backend framed them; the sink releases them
     * @param payload where in {@code wire} the payload stands; valid during this call only
     */
    void onBody(ByteBuf wire, PayloadRanges payload);

    /** Proven octets of framing without payload, held back until now; the sink releases them. */
    void onFraming(ByteBuf octets);

    /** From here on the backend's framing is not worth passing on; only payload ranges are valid. */
    void onReframe();

    /** All bytes of one read have been told. */
    void onReadComplete();

    /**
     * The response is complete.
     *
     * @param terminated whether the last chunk was among the bytes passed on
     */
    void onEnd(boolean terminated);

    /** The connection to the backend takes bytes again, or no longer. */
    void onUpstreamWritability();

    /** The call has failed; nothing more comes from it. */
    void onFailure(CallFailure failure);
}
