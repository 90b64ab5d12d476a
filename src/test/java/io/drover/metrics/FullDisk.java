package io.drover.metrics;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Clock;

/** A process of its own that writes more than its {@code ulimit -f} allows; status 0 if that fails as on a full disk. */
final class FullDisk {
    static final String FITTING = "{\"fits\":\"" + "x".repeat(590) + "\"}\n";
    private static final String TOO_LONG = "{\"long\":\"" + "y".repeat(100_000) + "\"}\n";

    private FullDisk() {}

    public static void main(String[] arguments) throws IOException {
        AuditFile file = new AuditFile(Path.of(arguments[0]), 1 << 20, 1, Clock.systemUTC());
        file.stopRetrying();
        file.write(ByteBuffer.wrap(FITTING.getBytes(US_ASCII)));
        try {
            file.write(ByteBuffer.wrap(TOO_LONG.getBytes(US_ASCII)));
        } catch (IOException full) {
            System.exit(0);
        }
        System.exit(1);
    }
}
