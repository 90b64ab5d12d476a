package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.ollama.RetryClass.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HoldBackSplitTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 8})
    void anErrorLineIsKnownHoweverItsStartIsSplit(int cut) {
        String line = "{\"error\":\"llama runner process has terminated\"}\n";
        HoldBack holdBack = new HoldBack(200, 0, 1024, false);
        assertThat(feed(holdBack, line.substring(0, cut))).isNull();
        assertThat(feed(holdBack, line.substring(cut))).isEqualTo(Verdict.NEXT_BACKEND);
    }

    private static @Nullable Verdict feed(HoldBack holdBack, String payload) {
        ByteBuf buf = Unpooled.copiedBuffer(payload, StandardCharsets.UTF_8);
        PayloadRanges ranges = new PayloadRanges();
        ranges.add(0, buf.writerIndex());
        try {
            return holdBack.onPayload(buf, ranges);
        } finally {
            buf.release();
        }
    }
}
