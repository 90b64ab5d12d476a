package io.drover.admission;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The scripts that run in a {@link LimitStore}. */
final class Script {
    static final String REPLICAS = read("replicas.lua");
    static final String CHARGE = read("charge.lua");
    static final String SPEND = read("spend.lua");

    private Script() {}

    private static String read(String name) {
        try (InputStream in = Script.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " (expected: beside this class)");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
