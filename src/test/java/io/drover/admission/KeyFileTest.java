package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

final class KeyFileTest {
    private static final String ALICE = Keys.line("alice", "one") + "\n";
    private static final String BOB = Keys.line("bob", "two") + "\n";

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(KeyFile.class);

    private final Path dir;
    private final Path file;

    KeyFileTest(@TempDir Path dir) {
        this.dir = dir;
        this.file = dir.resolve("keys");
    }

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(log);
    }

    @Test
    void aFileThatIsMissingAtTheStartIsAnError() {
        assertThatThrownBy(() -> KeyFile.open(file, ApiKeys.NONE))
                .isInstanceOf(IOException.class)
                .hasMessage("drover.auth.keys-file: \"" + file + "\": no such file (expected: a readable file)");
        assertThatThrownBy(() -> KeyFile.open(dir, ApiKeys.NONE))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("drover.auth.keys-file: \"" + dir + "\": ")
                .hasMessageEndingWith(" (expected: a readable file)");
    }

    @Test
    void mistakesAtTheStartAreAnErrorThatTellsAllOfThem() throws IOException {
        Files.writeString(file, "# keys\n{}\n" + ALICE + Keys.line("bob", "two", ",\"enabled\":1"));

        assertThatThrownBy(() -> KeyFile.open(file, ApiKeys.NONE))
                .isInstanceOf(IOException.class)
                .hasMessage(file + ":2: no name (expected: a name of 1 to 255 letters, digits and . _ - : [ ])\n" + file
                        + ":2: no hash (expected: sha256: and 64 hexadecimal digits, as the command key prints it)\n"
                        + file + ":4: enabled: 1 (expected: true or false)");
    }

    @Test
    void aFileWithoutKeysMayBeThereAtTheStart() throws IOException {
        Files.createFile(file);

        assertThat(KeyFile.open(file, ApiKeys.NONE).keys()).isEmpty();
    }

    @Test
    void aFileThatIsReplacedByRenamingIsReadAgain() throws IOException {
        KeyFile keys = open(ALICE);
        // Neither time nor size tell that it is another one.
        Path next = Files.writeString(dir.resolve("next"), BOB + "\n\n");
        Files.setLastModifiedTime(next, Files.getLastModifiedTime(file));
        assertThat(Files.size(next)).isEqualTo(Files.size(file));
        keys.look(ApiKeys.NONE);

        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);

        assertThat(keys.look(ApiKeys.NONE)).isTrue();
        assertThat(names(keys)).containsExactly("bob");
        assertThat(logged())
                .containsExactly("INFO keys file " + file + ": 1 keys", "INFO keys file " + file + ": 1 keys");
    }

    /** As Kubernetes mounts secrets: a link to a link to a directory, of which the middle one is swapped. */
    @Test
    void aSwappedDirectoryBehindALinkIsNoticed() throws IOException {
        Files.createDirectory(dir.resolve("v1"));
        Files.createDirectory(dir.resolve("v2"));
        Files.writeString(dir.resolve("v1/keys"), ALICE);
        Files.writeString(dir.resolve("v2/keys"), ALICE + BOB);
        Path data = Files.createSymbolicLink(dir.resolve("..data"), Path.of("v1"));
        Files.createSymbolicLink(file, Path.of("..data/keys"));
        KeyFile keys = KeyFile.open(file, ApiKeys.NONE);
        keys.look(ApiKeys.NONE);

        Path swap = Files.createSymbolicLink(dir.resolve("..data_tmp"), Path.of("v2"));
        Files.move(swap, data, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);

        assertThat(keys.look(ApiKeys.NONE)).isTrue();
        assertThat(names(keys)).containsExactly("alice", "bob");
    }

    @Test
    void aChangeWithinOneTickOfTheClockIsNoticedAtTheNextLook() throws IOException {
        KeyFile keys = open(ALICE);
        FileTime time = Files.getLastModifiedTime(file);
        Files.writeString(file, ALICE.replace("alice", "malin"));
        Files.setLastModifiedTime(file, time);

        assertThat(keys.look(ApiKeys.NONE)).isTrue();
        assertThat(names(keys)).containsExactly("malin");
    }

    @Test
    void anUnchangedFileIsLeftAlone() throws IOException {
        KeyFile keys = open(ALICE);
        List<KeyLine> read = keys.keys();

        assertThat(keys.look(ApiKeys.NONE)).isFalse();
        assertThat(keys.look(ApiKeys.NONE)).isFalse();
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000));
        assertThat(keys.look(ApiKeys.NONE)).isFalse();

        assertThat(keys.keys()).isSameAs(read);
        assertThat(logged()).hasSize(1);
    }

    /** Whoever has a million keys pays for those that changed only. */
    @Test
    void whatALineSaidBeforeIsNotKeptASecondTime() throws IOException {
        KeyFile keys = open(ALICE + BOB);
        KeyLine alice = keys.keys().get(0);
        KeyLine bob = keys.keys().get(1);

        Files.writeString(
                file, Keys.line("carol", "three") + "\n" + ALICE + Keys.line("bob", "two", ",\"enabled\":false"));
        assertThat(keys.look(new ApiKeys(keys.keys()))).isTrue();

        assertThat(names(keys)).containsExactly("carol", "alice", "bob");
        assertThat(keys.keys().get(1)).isSameAs(alice);
        assertThat(keys.keys().get(2)).isNotEqualTo(bob);
    }

    /** Opening one would wait until somebody writes into it, and a reload with it. */
    @Test
    @Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aPipeIsNoKeysFile() throws Exception {
        assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor())
                .isZero();

        assertThatThrownBy(() -> KeyFile.open(file, ApiKeys.NONE))
                .isInstanceOf(IOException.class)
                .hasMessage(
                        "drover.auth.keys-file: \"" + file + "\": it is no regular file (expected: a readable file)");
    }

    @Test
    void aByteOrderMarkAndLineEndsOfWindowsAreNoMistake() throws IOException {
        KeyFile keys = open("\ufeff" + ALICE.replace("\n", "\r\n") + "\r\n" + BOB.replace("\n", "\r\n"));

        assertThat(names(keys)).containsExactly("alice", "bob");
    }

    @Test
    void bytesThatAreNoUtf8AreAMistakeOfTheirLine() throws IOException {
        Files.writeString(
                file, ALICE + Keys.line("bob", "two", ",\"owner\":\"J\u00fcrgen\""), StandardCharsets.ISO_8859_1);

        assertThatThrownBy(() -> KeyFile.open(file, ApiKeys.NONE))
                .hasMessage(file + ":2: no UTF-8 (expected: text in UTF-8)");
    }

    @Test
    void mistakesChangeNothingAndAreToldOnce() throws IOException {
        KeyFile keys = open(ALICE);
        Files.writeString(file, BOB + "{\"name\":\"carol\",\"hash\":\"sha256:0\"}\nnonsense\n");

        assertThat(keys.look(ApiKeys.NONE)).isFalse();
        assertThat(keys.look(ApiKeys.NONE)).isFalse();
        assertThat(keys.look(ApiKeys.NONE)).isFalse();

        assertThat(names(keys)).containsExactly("alice");
        assertThat(logged()).hasSize(2);
        assertThat(logged().get(1))
                .startsWith("WARN keys file " + file + " has mistakes, so that its last 1 keys stay:\n" + file
                        + ":2: hash: (hidden) (expected: ")
                .contains("\n" + file + ":3: no JSON at column ");

        Files.writeString(file, BOB);
        assertThat(keys.look(ApiKeys.NONE)).isTrue();
        assertThat(names(keys)).containsExactly("bob");
    }

    @Test
    void aFileThatIsCutOffChangesNothing() throws IOException {
        KeyFile keys = open(ALICE + BOB);

        Files.writeString(file, (ALICE + BOB).substring(0, ALICE.length() + 20));
        assertThat(keys.look(ApiKeys.NONE)).isFalse();
        Files.writeString(file, "");
        assertThat(keys.look(ApiKeys.NONE)).isFalse();
        assertThat(keys.look(ApiKeys.NONE)).isFalse();

        assertThat(names(keys)).containsExactly("alice", "bob");
        assertThat(logged()).hasSize(3).last().asString().endsWith("so that its last 2 keys stay: it is empty");
    }

    @Test
    void aCommentAloneTakesAllKeysAway() throws IOException {
        KeyFile keys = open(ALICE);

        Files.writeString(file, "# nobody\n");

        assertThat(keys.look(ApiKeys.NONE)).isTrue();
        assertThat(keys.keys()).isEmpty();
    }

    @Test
    void aFileThatIsGoneChangesNothingAndMayComeBack() throws IOException {
        KeyFile keys = open(ALICE);
        Files.delete(file);

        assertThat(keys.look(ApiKeys.NONE)).isFalse();
        assertThat(keys.look(ApiKeys.NONE)).isFalse();
        assertThat(names(keys)).containsExactly("alice");
        assertThat(logged()).hasSize(2).last().asString().endsWith("so that its last 1 keys stay: no such file");

        Files.writeString(file, BOB);
        assertThat(keys.look(ApiKeys.NONE)).isTrue();
        assertThat(names(keys)).containsExactly("bob");
    }

    private KeyFile open(String text) throws IOException {
        Files.writeString(file, text);
        KeyFile keys = KeyFile.open(file, ApiKeys.NONE);
        keys.tell();
        return keys;
    }

    private static List<String> names(KeyFile file) {
        return file.keys().stream().map(KeyLine::name).toList();
    }

    private List<String> logged() {
        return log.list.stream()
                .map(event -> event.getLevel() + " " + event.getFormattedMessage())
                .toList();
    }
}
