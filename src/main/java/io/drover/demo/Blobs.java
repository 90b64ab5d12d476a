package io.drover.demo;

import io.netty.buffer.ByteBuf;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Pattern;

/** {@code /api/blobs/:digest}: bytes are digested as they come and never kept. */
final class Blobs {
    private static final Pattern DIGEST = Pattern.compile("sha256[:-][0-9a-fA-F]{64}");

    private final Simulation simulation;

    Blobs(Simulation simulation) {
        this.simulation = simulation;
    }

    void register(Map<String, Map<String, Routes.Route>> prefixes) {
        prefixes.put("/api/blobs/", Map.of("HEAD", this::head, "POST", this::post));
    }

    private void head(Incoming in) {
        String digest = digest(in);
        in.ignoreBody(() -> in.answer().empty(digest.isEmpty() ? 400 : simulation.store.hasBlob(digest) ? 200 : 404));
    }

    private void post(Incoming in) {
        String expected = digest(in);
        if (expected.isEmpty()) {
            in.ignoreBody(() -> in.answer().error(400, "invalid digest format"));
        } else if (simulation.store.hasBlob(expected)) {
            in.ignoreBody(() -> in.answer().empty(200));
        } else {
            in.readPieces(new Upload(in, expected));
        }
    }

    /** The path's digest with a colon; empty if it is none. */
    private static String digest(Incoming in) {
        String given = in.path().substring(in.path().lastIndexOf('/') + 1);
        return DIGEST.matcher(given).matches() ? given.replace("sha256-", "sha256:") : "";
    }

    private final class Upload implements Incoming.BodyReader {
        private final Incoming in;
        private final String expected;
        private final MessageDigest digest = Digests.sha256();

        Upload(Incoming in, String expected) {
            this.in = in;
            this.expected = expected;
        }

        @Override
        public void onPiece(ByteBuf piece) {
            digest.update(piece.nioBuffer());
        }

        @Override
        public void onEnd() {
            if (in.intercepted(null)) {
                return;
            }
            String got = "sha256:" + HexFormat.of().formatHex(digest.digest());
            if (got.equals(expected)) {
                simulation.store.addBlob(expected);
                in.answer().empty(201);
            } else {
                in.answer().error(400, "digest mismatch, expected \"" + expected + "\", got \"" + got + "\"");
            }
        }
    }
}
