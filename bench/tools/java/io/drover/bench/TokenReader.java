package io.drover.bench;

import io.drover.http.ChunkedFraming;
import io.netty.buffer.ByteBuf;

/** Finds the tokens in the payload of an answer, however it was cut up on its way. */
final class TokenReader implements ChunkedFraming.Payload {
    /** Whom tokens are told to. */
    interface Sink {
        void onToken(long sentNanos, int number);
    }

    private final Sink sink;
    /** Digits read of the current token; -1 outside of one. */
    private int digits = -1;

    private long sent;
    private int number;

    TokenReader(Sink sink) {
        this.sink = sink;
    }

    @Override
    public void onPayload(ByteBuf in, int from, int to) {
        int i = from;
        while (i < to) {
            if (digits < 0) {
                i = in.indexOf(i, to, Token.MARK) + 1;
                if (i == 0) {
                    return;
                }
                digits = 0;
                sent = 0;
                number = 0;
            } else {
                digit(in.getByte(i++));
            }
        }
    }

    private void digit(byte b) {
        int value = b <= '9' ? b - '0' : b - 'a' + 10;
        if (digits++ < Token.TIME_DIGITS) {
            sent = sent << 4 | value;
        } else {
            number = number << 4 | value;
        }
        if (digits == Token.DIGITS) {
            digits = -1;
            sink.onToken(sent, number);
        }
    }
}
