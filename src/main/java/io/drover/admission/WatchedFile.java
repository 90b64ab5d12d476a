package io.drover.admission;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A text file that is read when it has changed: its time, its size or, as after a rename onto it, the file itself. One thread. */
final class WatchedFile implements LiveText.Source {
    /** Some hundred thousand users; more is a wrong file. */
    private static final int MOST_BYTES = 32 << 20;

    private final Path file;
    private @Nullable Stamp last;

    private record Stamp(
            FileTime modified, long size, @Nullable Object fileKey) {}

    WatchedFile(Path file) {
        this.file = file;
    }

    @Override
    public Optional<String> look() throws IOException {
        Stamp before = last;
        last = null; // Should reading fail it is tried again.
        try {
            BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
            if (!now.isRegularFile()) {
                throw new IOException("no regular file"); // A pipe would hold up whoever opens it.
            }
            Stamp stamp = new Stamp(now.lastModifiedTime(), now.size(), now.fileKey());
            if (stamp.equals(before)) {
                last = stamp;
                return Optional.empty();
            }
            if (now.size() > MOST_BYTES) {
                throw new IOException("of " + now.size() + " bytes (expected: at most " + MOST_BYTES + ")");
            }
            String text = Files.readString(file, StandardCharsets.UTF_8);
            last = stamp;
            return Optional.of(text);
        } catch (NoSuchFileException missing) {
            throw new IOException("no such file", missing);
        } catch (CharacterCodingException notText) {
            throw new IOException("no UTF-8 text", notText);
        }
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
