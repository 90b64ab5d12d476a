package io.drover.admission;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file {@code auth.keys-file}, looked at now and then. What was read last counts until there is something better: a
 * file that is gone or has mistakes changes nothing. Blocks; one thread at a time.
 */
final class KeyFile {
    private static final Logger LOG = LoggerFactory.getLogger(KeyFile.class);

    private final Path path;
    private List<KeyLine> keys;

    /** Of what it held last, right or wrong. */
    private String digest;

    /**
     * The state of the file when it was read last. It counts only if the next look finds it unchanged: a file may change
     * twice within one tick of its clock.
     */
    private @Nullable Stamp stamp;

    private boolean confirmed;

    /** Why it could not be read at the last look; empty where it could. */
    private String trouble = "";

    private KeyFile(Path path, @Nullable Stamp stamp, Content content) {
        this.path = path;
        this.stamp = stamp;
        this.digest = content.digest();
        this.keys = content.keys();
    }

    /**
     * Reads the file for the first time.
     *
     * @param last the keys of now; what still says the same is not kept a second time
     * @throws IOException if it cannot be read or has mistakes; the message tells all of them
     */
    static KeyFile open(Path path, ApiKeys last) throws IOException {
        Stamp stamp;
        Content content;
        try {
            stamp = Stamp.of(path);
            content = Content.read(path, last);
        } catch (IOException unreadable) {
            throw new IOException(wrong(path, reason(unreadable), "a readable file"), unreadable);
        } catch (OutOfMemoryError full) {
            throw new IOException(wrong(path, "too many keys", "no more than the heap has room for"), full);
        }
        if (!content.problems().isEmpty()) {
            throw new IOException(String.join("\n", content.problems()));
        }
        return new KeyFile(path, stamp, content);
    }

    private static String wrong(Path path, String what, String expected) {
        return "drover.auth.keys-file: \"" + path + "\": " + what + " (expected: " + expected + ")";
    }

    /** Says in the log what it holds. */
    void tell() {
        LOG.info("keys file {}: {} keys", path, keys.size());
    }

    List<KeyLine> keys() {
        return keys;
    }

    /**
     * Looks whether it has changed, and says so in the log.
     *
     * @param last as for {@link #open}
     */
    boolean look(ApiKeys last) {
        try {
            Stamp now = Stamp.of(path);
            boolean same = now.equals(stamp);
            if (same && confirmed) {
                return false;
            }
            if (now.size() == 0 && !keys.isEmpty()) {
                // Somebody is about to write it, or the disk is full. Whoever means no keys leaves a comment.
                throw new IOException("it is empty");
            }
            // What only seems to have changed is not worth the memory that parsing takes.
            boolean changed = !Content.digest(path).equals(digest) && take(Content.read(path, last));
            // Only now: what cannot be read is tried again.
            stamp = now;
            confirmed = same;
            trouble = "";
            return changed;
        } catch (IOException unreadable) {
            stamp = null;
            tell(reason(unreadable));
            return false;
        }
    }

    private boolean take(Content fresh) {
        if (!fresh.problems().isEmpty()) {
            digest = fresh.digest();
            LOG.warn(
                    "keys file {} has mistakes, so that its last {} keys stay:\n{}",
                    path,
                    keys.size(),
                    String.join("\n", fresh.problems()));
            return false;
        }
        keys = fresh.keys();
        tell();
        digest = fresh.digest();
        return true;
    }

    private void tell(String why) {
        if (!why.equals(trouble)) {
            trouble = why;
            LOG.warn("keys file {} cannot be read, so that its last {} keys stay: {}", path, keys.size(), why);
        }
    }

    private static String reason(IOException unreadable) {
        if (unreadable instanceof NoSuchFileException) {
            return "no such file";
        }
        return unreadable instanceof AccessDeniedException ? "no permission" : String.valueOf(unreadable.getMessage());
    }

    /**
     * What tells a file from another that has taken its place, behind symbolic links.
     *
     * @param identity its device and inode, where the system has them
     */
    private record Stamp(
            FileTime modified, long size, @Nullable Object identity) {
        static Stamp of(Path path) throws IOException {
            BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
            if (!now.isRegularFile()) {
                // A pipe would hold up whoever opens it until somebody writes.
                throw new IOException("it is no regular file");
            }
            return new Stamp(now.lastModifiedTime(), now.size(), now.fileKey());
        }
    }

    /** What stood in it. */
    private record Content(String digest, List<KeyLine> keys, List<String> problems) {
        private static final int BUFFER_BYTES = 64 << 10;

        static String digest(Path path) throws IOException {
            MessageDigest digest = Sha256.algorithm();
            byte[] buffer = new byte[BUFFER_BYTES];
            try (InputStream in = Files.newInputStream(path)) {
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    digest.update(buffer, 0, read);
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        }

        static Content read(Path path, ApiKeys last) throws IOException {
            KeyLines lines = new KeyLines(number -> path + ":" + number, last);
            try (InputStream in = Files.newInputStream(path);
                    DigestInputStream counted = new DigestInputStream(in, Sha256.algorithm());
                    BufferedReader reader =
                            new BufferedReader(new InputStreamReader(counted, StandardCharsets.UTF_8))) {
                lines.addAll(reader);
                byte[] digest = counted.getMessageDigest().digest();
                return new Content(HexFormat.of().formatHex(digest), lines.keys(), lines.problems());
            }
        }
    }
}
