package io.drover.metrics;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of whole lines that only its owner may read. At its size it is put aside as {@code NAME.<UTC time>}, and the
 * oldest of those are deleted. One that was moved or deleted by somebody else is opened anew. What cannot be written is
 * tried again every second; a write that fails half-way is taken back, so that every line is whole.
 *
 * <p>It is on the disk (fsync) when it is put aside and when it is closed; until then it is with the kernel, which
 * outlives this process but not the machine. May be a pipe or a device too, of which nothing can be taken back.
 */
final class AuditFile implements LineSink {
    private static final Logger LOG = LoggerFactory.getLogger(AuditFile.class);

    private static final Set<OpenOption> APPEND = Set.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final DateTimeFormatter ASIDE =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final String ASIDE_PATTERN = "\\.\\d{8}T\\d{6}\\.\\d{3}Z";
    private static final long RETRY_MILLIS = 1_000;

    private final Path path;
    private final long maxSize;
    private final int keep;
    private final InstantSource clock;
    private final CountDownLatch ending = new CountDownLatch(1);
    private volatile boolean failing;

    // The writer's own.
    private @Nullable FileChannel channel;
    private @Nullable Object fileKey;
    private boolean regular;
    private boolean cut;
    private boolean moveFailureTold;

    /**
     * @param maxSize bytes; larger is only what one write makes so
     * @param keep most files put aside
     * @throws IOException if it cannot be opened
     */
    AuditFile(Path path, long maxSize, int keep, InstantSource clock) throws IOException {
        this.path = path.toAbsolutePath();
        this.maxSize = maxSize;
        this.keep = keep;
        this.clock = clock;
        open();
    }

    private static String fileName(Path place) {
        return Objects.requireNonNull(place.getFileName(), "file name").toString();
    }

    /** Whether the last write has failed and is being tried again. Any thread. */
    boolean isFailing() {
        return failing;
    }

    /** From now on what cannot be written at once is lost. Any thread. */
    void stopRetrying() {
        ending.countDown();
    }

    /** Writes, waiting until that is possible. */
    @Override
    public void write(ByteBuffer lines) throws IOException {
        while (true) {
            try {
                writeOnce(lines.duplicate());
                onWell();
                return;
            } catch (IOException e) {
                onFailure(e);
                if (isEnding()) {
                    throw e;
                }
            }
        }
    }

    private boolean isEnding() {
        try {
            return ending.await(RETRY_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private void onFailure(IOException e) {
        if (!failing) {
            failing = true;
            LOG.warn(
                    "audit log: {} cannot be written, which is tried again every {} ms; as many lines as"
                            + " audit-log.queue wait meanwhile",
                    path,
                    RETRY_MILLIS,
                    e);
        }
        try {
            close();
        } catch (IOException again) {
            LOG.debug("audit log: closing after a failure fails too", again);
        }
    }

    private void onWell() {
        if (failing) {
            failing = false;
            LOG.info("audit log: {} can be written again", path);
        }
    }

    private void writeOnce(ByteBuffer lines) throws IOException {
        FileChannel to = current();
        if (regular && to.size() > 0 && to.size() + lines.remaining() > maxSize) {
            to = putAside(to);
        }
        long before = regular ? to.size() : 0;
        ByteBuffer whole = cut ? onNewLine(lines) : lines;
        int length = whole.remaining();
        try {
            while (whole.hasRemaining()) {
                to.write(whole);
            }
            cut = false;
        } catch (IOException e) {
            takeBack(to, before, length - whole.remaining());
            throw e;
        }
    }

    private static ByteBuffer onNewLine(ByteBuffer lines) {
        return ByteBuffer.allocate(lines.remaining() + 1)
                .put((byte) '\n')
                .put(lines)
                .flip();
    }

    /** Only where nobody else has appended meanwhile: their lines are not ours to take back. */
    private void takeBack(FileChannel from, long before, int written) {
        if (written == 0) {
            return;
        }
        try {
            if (regular && from.size() == before + written) {
                from.truncate(before);
                return;
            }
        } catch (IOException e) {
            LOG.debug("audit log: half a write stays in {}", path, e);
        }
        cut = true;
    }

    private FileChannel current() throws IOException {
        FileChannel open = channel;
        if (open != null && isInPlace()) {
            return open;
        }
        close();
        return open();
    }

    /** Whether the name still leads to the file that is open. */
    private boolean isInPlace() throws IOException {
        try {
            return Objects.equals(
                    fileKey,
                    Files.readAttributes(path, BasicFileAttributes.class).fileKey());
        } catch (NoSuchFileException gone) {
            return false;
        }
    }

    private FileChannel open() throws IOException {
        boolean posix = path.getFileSystem().supportedFileAttributeViews().contains("posix");
        FileChannel opened = posix ? FileChannel.open(path, APPEND, OWNER_ONLY) : FileChannel.open(path, APPEND);
        channel = opened;
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        fileKey = attributes.fileKey();
        regular = attributes.isRegularFile();
        if (regular) {
            cut = endsWithinLine();
        }
        return opened;
    }

    /** A machine that went down may have left half a line. */
    private boolean endsWithinLine() throws IOException {
        try (SeekableByteChannel in = Files.newByteChannel(path)) {
            if (in.size() == 0) {
                return false;
            }
            ByteBuffer last = ByteBuffer.allocate(1);
            in.position(in.size() - 1).read(last);
            return last.get(0) != '\n';
        }
    }

    @Override
    public void reopen() throws IOException {
        close();
        open();
    }

    @Override
    public void close() throws IOException {
        FileChannel open = channel;
        channel = null;
        if (open == null) {
            return;
        }
        try (open) {
            if (regular) {
                open.force(true);
            }
        }
    }

    /** Moves the file away and opens a new one; where that is impossible the full one grows. */
    private FileChannel putAside(FileChannel full) throws IOException {
        Path place;
        try {
            // Behind a link it is the file that moves: its place is where there is room for it.
            place = path.toRealPath();
            Files.move(place, freeName(place));
            moveFailureTold = false;
        } catch (IOException e) {
            if (!moveFailureTold) {
                moveFailureTold = true;
                LOG.warn("audit log: {} has its size, but cannot be put aside, so it grows", path, e);
            }
            return full;
        }
        close();
        FileChannel next = open();
        try {
            deleteOldest(place);
        } catch (IOException | DirectoryIteratorException e) {
            LOG.warn("audit log: more than audit-log.keep files stay beside {}, since one cannot be deleted", path, e);
        }
        return next;
    }

    private Path freeName(Path place) {
        Instant time = clock.instant();
        Path free = aside(place, time);
        while (Files.exists(free, LinkOption.NOFOLLOW_LINKS)) {
            time = time.plusMillis(1);
            free = aside(place, time);
        }
        return free;
    }

    private static Path aside(Path place, Instant time) {
        return place.resolveSibling(fileName(place) + "." + ASIDE.format(time));
    }

    private void deleteOldest(Path place) throws IOException {
        List<Path> aside = new ArrayList<>();
        Path directory = Objects.requireNonNull(place.getParent(), "directory of the audit log");
        Pattern asidePattern = Pattern.compile(Pattern.quote(fileName(place)) + ASIDE_PATTERN);
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
            for (Path each : all) {
                if (asidePattern.matcher(String.valueOf(each.getFileName())).matches()
                        && Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS)) {
                    aside.add(each);
                }
            }
        }
        // By name is by time.
        Collections.sort(aside);
        for (Path oldest : aside.subList(0, Math.max(0, aside.size() - keep))) {
            Files.deleteIfExists(oldest);
        }
    }
}
