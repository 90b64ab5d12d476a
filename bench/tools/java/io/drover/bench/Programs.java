package io.drover.bench;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Programs of this machine. */
final class Programs {
    private static final List<String> ALSO = List.of("/usr/local/sbin", "/usr/sbin", "/sbin");

    private Programs() {}

    /** Where {@code name} is: on the PATH, or where servers are installed to. */
    static Optional<Path> find(String name) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Stream.concat(Pattern.compile(File.pathSeparator).splitAsStream(path), ALSO.stream())
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** A program by its name or its path; empty if it is not there. */
    static Optional<String> locate(String program) {
        if (program.contains("/")) {
            return Optional.of(program).filter(path -> Files.isExecutable(Path.of(path)));
        }
        return find(program).map(Path::toString);
    }

    /** The first line that a command prints, such as its version; empty if it cannot be run. */
    static String firstLine(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return printed.lines().findFirst().orElse("").trim();
        } catch (IOException e) {
            return "";
        }
    }
}
