package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.SimulatedOllama;
import io.drover.testing.RawClient;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The archive of classes that the build makes by a rehearsal: it is used where it fits, and where it does not nobody
 * notices. How long a start takes is no test's business; {@code docs/decisions.md} has figures.
 */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ClassArchiveTest {
    private static final Path CLASSES = Path.of("target", "classes");

    private static Path directory = Path.of("");
    private static Path jar = Path.of("");
    private static Path archive = Path.of("");
    private static String rehearsal = "";

    @BeforeAll
    static void rehearse(@TempDir Path temporary) throws Exception {
        directory = temporary;
        jar = directory.resolve("drover.jar");
        writeJar(jar);
        archive = directory.resolve("drover.jsa");
        try (DroverProcess drover = DroverProcess.startJar(
                jar,
                List.of("-XX:SharedArchiveFile=", "-Xlog:disable", "-XX:ArchiveClassesAtExit=" + archive),
                "rehearse")) {
            assertThat(drover.await()).as(drover::toString).isZero();
            rehearsal = drover.out();
            onlyMessages(drover.err());
        }
        assertThat(archive).isNotEmptyFile();
    }

    @Test
    void a_rehearsal_is_answered_like_anybody() {
        onlyAccessLog(rehearsal, 4);
        assertThat(rehearsal).contains("\"path\":\"/api/chat\"", "\"path\":\"/v1/chat/completions\"");
    }

    @Test
    void a_start_takes_the_classes_from_the_archive() throws Exception {
        Path loaded = directory.resolve("loaded.txt");
        try (DroverProcess drover = DroverProcess.startJar(
                jar, List.of("-XX:SharedArchiveFile=" + archive, "-Xlog:class+load:file=" + loaded), "version")) {
            assertThat(drover.await()).as(drover::toString).isZero();
        }
        assertThat(Files.readString(loaded))
                .containsPattern("io\\.drover\\.server\\.Transport source: shared objects file");
    }

    @Test
    void it_serves_with_the_archive() throws Exception {
        serves(jar, archive);
    }

    @Test
    void it_serves_without_an_archive() throws Exception {
        serves(jar, directory.resolve("no-such.jsa"));
    }

    @Test
    void it_serves_with_a_file_that_is_no_archive() throws Exception {
        serves(jar, Files.write(directory.resolve("broken.jsa"), new byte[100_000]));
    }

    @Test
    void it_serves_with_the_archive_of_a_jar_that_was_built_anew() throws Exception {
        Path anew = Files.createDirectory(directory.resolve("anew")).resolve("drover.jar");
        Files.copy(jar, anew, StandardCopyOption.COPY_ATTRIBUTES);
        Files.setLastModifiedTime(
                anew, FileTime.fromMillis(Files.getLastModifiedTime(jar).toMillis() + 10_000));
        serves(anew, archive);
    }

    private static void serves(Path jar, Path archive) throws Exception {
        try (SimulatedOllama backend = SimulatedOllama.start(SimulatedOllama.Settings.defaults());
                DroverProcess drover = DroverProcess.startJar(
                        jar,
                        List.of("-XX:SharedArchiveFile=" + archive),
                        "run",
                        "--listen",
                        "127.0.0.1:0",
                        "--backend",
                        backend.url().toString(),
                        "--set",
                        "admin.listen=127.0.0.1:0")) {
            try (RawClient client = RawClient.connect(drover.proxy())) {
                assertThat(client.exchange("GET", "/api/tags", "", "Connection: close")
                                .status())
                        .isEqualTo(200);
            }
            drover.terminate();
            assertThat(drover.await()).as(drover::toString).isZero();
            onlyAccessLog(drover.out(), 1);
            onlyMessages(drover.err());
        }
    }

    private static void onlyAccessLog(String out, int lines) {
        assertThat(out.lines()).hasSize(lines).allMatch(line -> line.startsWith("{\"time\":\""));
    }

    private static void onlyMessages(String err) {
        assertThat(err.lines())
                .isNotEmpty()
                .allMatch(line ->
                        line.matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z INFO  [A-Z]\\w+ - .+"));
    }

    /** The JVM archives classes of jars only; so ours are put into one, which names the other jars of the class path. */
    private static void writeJar(Path jar) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, "io.drover.server.Main");
        manifest.getMainAttributes()
                .put(
                        Attributes.Name.CLASS_PATH,
                        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                                .filter(entry -> entry.endsWith(".jar"))
                                .map(entry -> Path.of(entry).toUri().toString())
                                .collect(Collectors.joining(" ")));
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest);
                Stream<Path> files = Files.walk(CLASSES)) {
            for (Path source : files.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(
                        new JarEntry(CLASSES.relativize(source).toString().replace(File.separatorChar, '/')));
                Files.copy(source, out);
            }
        }
    }
}
