package io.drover.metrics;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.LogLine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class AuditFileTest {
    private static final long SIZE = 100;

    private final Path dir;
    private final Path path;
    private Instant now = Instant.parse("2026-11-21T13:52:09.123Z");

    AuditFileTest(@TempDir Path dir) {
        this.dir = dir;
        this.path = dir.resolve("audit.log");
    }

    private AuditFile open(int keep) throws IOException {
        return new AuditFile(path, SIZE, keep, () -> now);
    }

    private static void write(AuditFile file, String text) throws IOException {
        file.write(ByteBuffer.wrap(text.getBytes(US_ASCII)));
    }

    /** A line of so many bytes, its end included. */
    private static String line(char letter, int bytes) {
        return Character.toString(letter).repeat(bytes - 1) + "\n";
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.list(dir)) {
            return all.map(each -> each.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void onlyItsOwnerMayReadIt() throws IOException {
        open(1).close();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
    }

    @Test
    void aFileThatIsThereIsContinued() throws IOException {
        Files.writeString(path, "{}\n");
        AuditFile file = open(1);
        write(file, "a\n");
        file.close();

        assertThat(path).hasContent("{}\na\n");
    }

    @Test
    void halfALineThatACrashLeftIsEnded() throws IOException {
        Files.writeString(path, "{}\n{\"half");
        AuditFile file = open(1);
        write(file, "a\n");
        write(file, "b\n");
        file.close();

        assertThat(Files.readString(path)).isEqualTo("{}\n{\"half\na\nb\n");
    }

    @Test
    void atItsSizeItIsPutAsideUnderItsTime() throws IOException {
        AuditFile file = open(5);
        write(file, line('a', 60));
        write(file, line('b', 40));
        assertThat(names()).containsExactly("audit.log");
        write(file, line('c', 1));
        file.close();

        assertThat(names()).containsExactly("audit.log", "audit.log.20261121T135209.123Z");
        assertThat(Files.readString(dir.resolve("audit.log.20261121T135209.123Z")))
                .isEqualTo(line('a', 60) + line('b', 40));
        assertThat(Files.readString(path)).isEqualTo(line('c', 1));
    }

    /** Such as a link to a disk with room for it: on this one the files would pile up. */
    @Test
    void behindALinkTheFileMovesAndTheLinkStays() throws IOException {
        Path disk = Files.createDirectory(dir.resolve("disk"));
        Files.createSymbolicLink(path, disk.resolve("real.log"));
        AuditFile file = open(1);
        for (char letter : "abc".toCharArray()) {
            write(file, line(letter, 80));
        }
        file.close();

        assertThat(path).isSymbolicLink().hasContent(line('c', 80));
        assertThat(names()).containsExactly("audit.log", "disk");
        try (Stream<Path> all = Files.list(disk)) {
            assertThat(all.map(each -> each.getFileName().toString()))
                    .containsExactlyInAnyOrder("real.log", "real.log.20261121T135209.124Z");
        }
    }

    @Test
    void whatOneWriteMakesLargerThanTheSizeIsWrittenWhole() throws IOException {
        AuditFile file = open(5);
        write(file, line('a', 300));
        assertThat(names()).containsExactly("audit.log");
        write(file, line('b', 300));
        file.close();

        assertThat(names()).containsExactly("audit.log", "audit.log.20261121T135209.123Z");
        assertThat(Files.readString(path)).isEqualTo(line('b', 300));
    }

    @Test
    void twoOfOneMillisecondHaveNamesOfTheirOwn() throws IOException {
        AuditFile file = open(5);
        for (char letter = 'a'; letter <= 'c'; letter++) {
            write(file, line(letter, 80));
        }
        file.close();

        assertThat(names())
                .containsExactly("audit.log", "audit.log.20261121T135209.123Z", "audit.log.20261121T135209.124Z");
        assertThat(Files.readString(dir.resolve("audit.log.20261121T135209.124Z")))
                .isEqualTo(line('b', 80));
    }

    @Test
    void theOldestAreDeletedAndWhateverIsNotOursStays() throws IOException {
        List<String> foreign = List.of(
                "audit.log.1", "audit.log.20200101T000000.000Z.gz", "audit.log.bak", "other.log.20200101T000000.000Z");
        for (String name : foreign) {
            Files.writeString(dir.resolve(name), "x");
        }
        Files.writeString(dir.resolve("audit.log.20250101T000000.000Z"), "of the last process");
        AuditFile file = open(2);
        for (char letter = 'a'; letter <= 'd'; letter++) {
            write(file, line(letter, 80));
            now = now.plusSeconds(1);
        }
        file.close();

        assertThat(names())
                .containsAll(foreign)
                .hasSize(foreign.size() + 3)
                .contains("audit.log", "audit.log.20261121T135211.123Z", "audit.log.20261121T135212.123Z");
    }

    @Test
    void noneIsKeptWhereNoneIsWanted() throws IOException {
        AuditFile file = open(0);
        write(file, line('a', 80));
        write(file, line('b', 80));
        file.close();

        assertThat(names()).containsExactly("audit.log");
        assertThat(Files.readString(path)).isEqualTo(line('b', 80));
    }

    @Test
    void aFileThatSomebodyMovedAwayIsOpenedAnew() throws IOException {
        AuditFile file = open(1);
        write(file, "a\n");
        Files.move(path, dir.resolve("audit.log.1"));
        write(file, "b\n");
        Files.delete(path);
        write(file, "c\n");
        file.close();

        assertThat(dir.resolve("audit.log.1")).hasContent("a\n");
        assertThat(path).hasContent("c\n");
    }

    @Test
    void reopenedItIsThereBeforeTheNextLine() throws IOException {
        AuditFile file = open(1);
        Files.delete(path);
        file.reopen();

        assertThat(path).isEmptyFile();
        file.close();
    }

    @Test
    void whatFitsOnTheDiskOnlyByHalfIsTakenBack() throws Exception {
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        "ulimit -f 2 && exec \"$@\"",
                        "sh",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:-UsePerfData",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FullDisk.class.getName(),
                        path.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), US_ASCII);

        assertThat(process.waitFor()).as(said).isZero();
        assertThat(Files.readString(path)).isEqualTo(FullDisk.FITTING);
        assertThat(LogLine.parse(FullDisk.FITTING).fields()).containsOnlyKeys("fits");
    }
}
