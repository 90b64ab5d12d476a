package io.drover.clients;

import static org.junit.jupiter.api.Assumptions.abort;

import io.drover.testing.Command;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.opentest4j.TestAbortedException;

/**
 * Client libraries of one language, installed below {@code target/clients}, and the scripts that use them. What cannot
 * be installed aborts the test with the reason, since a machine may have neither the language nor a network.
 */
final class ClientLibraries {
    private static final Path ROOT = Path.of("target", "clients").toAbsolutePath();
    private static final String MARKER = ".installed";
    private static final int INSTALL_SECONDS = 120;
    private static final int RUN_SECONDS = 60;
    private static final int OLDEST_NODE = 20;

    /** What became of an installation in this JVM: the libraries, or why not; without a network, trying takes long. */
    private static final Map<String, Object> OUTCOMES = new ConcurrentHashMap<>();

    private final Path directory;
    private final List<String> interpreter;

    private ClientLibraries(Path directory, List<String> interpreter) {
        this.directory = directory;
        this.interpreter = List.copyOf(interpreter);
    }

    /** The packages of {@code package.json}, by npm. */
    static ClientLibraries javaScript() {
        return once("node", ClientLibraries::installJavaScript);
    }

    /** The packages of {@code requirements.txt}, by pip into a virtual environment. */
    static ClientLibraries python() {
        return once("python", ClientLibraries::installPython);
    }

    private static ClientLibraries once(String name, Function<Path, ClientLibraries> installation) {
        Object outcome = OUTCOMES.computeIfAbsent(name, key -> {
            try {
                return alone(directory(key), installation);
            } catch (TestAbortedException impossible) {
                return impossible;
            }
        });
        if (outcome instanceof TestAbortedException impossible) {
            throw impossible;
        }
        return (ClientLibraries) outcome;
    }

    /** Tests run in several processes, and one of them installs. */
    private static ClientLibraries alone(Path directory, Function<Path, ClientLibraries> installation) {
        Path path = directory.resolve(".lock");
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            FileLock lock = file.lock();
            try {
                return installation.apply(directory);
            } finally {
                lock.release();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ClientLibraries installJavaScript(Path directory) {
        require(directory, "npm", "--version");
        String version = require(directory, "node", "--version");
        if (Integer.parseInt(version.replaceAll("^v(\\d+).*", "$1")) < OLDEST_NODE) {
            abort("skipped: node " + version + " (expected: " + OLDEST_NODE + " or newer)");
        }
        copy(directory, "scenarios.mjs", "ollama.mjs", "openai.mjs", "anthropic.mjs");
        if (isNew(directory, "package.json")) {
            require(directory, "npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error");
            installed(directory, "package.json");
        }
        return new ClientLibraries(directory, List.of("node"));
    }

    private static ClientLibraries installPython(Path directory) {
        require(directory, "python3", "--version");
        copy(directory, "scenarios.py", "ollama_client.py", "ollama_by_environment.py", "openai_client.py");
        Path environment = directory.resolve("venv");
        String python = environment.resolve("bin/python").toString();
        if (isNew(directory, "requirements.txt")) {
            require(directory, "python3", "-m", "venv", "--clear", environment.toString());
            require(directory, python, "-m", "pip", "install", "-q", "-r", "requirements.txt");
            installed(directory, "requirements.txt");
        }
        return new ClientLibraries(directory, List.of(python, "-B"));
    }

    /** Runs a script's scenarios against a server and gives what they saw, by {@code scenario.key}, as JSON. */
    Map<String, String> run(String script, String url) {
        return run(Map.of(), script, url);
    }

    /** Runs one scenario of a script. */
    Map<String, String> run(String script, String url, String scenario) {
        return run(Map.of(), script, url, scenario);
    }

    /** @param arguments the server's URL, and perhaps one scenario */
    Map<String, String> run(Map<String, String> environment, String script, String... arguments) {
        Command command = command(script, arguments).with(environment);
        Command.Output output = Command.finish(start(command), RUN_SECONDS);
        if (output.status() != 0) {
            throw new AssertionError(command + " ended with status " + output.status() + ":\n" + output.text());
        }
        return seen(output.text());
    }

    /** Starts a script's abort scenario; the script lives until its standard input is closed. */
    Process startAbort(String script, String url) {
        return start(command(script, url, "abort"));
    }

    /** Ends a script that {@link #startAbort} started, and gives what it saw. */
    static Map<String, String> end(Process running) throws IOException {
        running.getOutputStream().close();
        return seen(Command.finish(running, RUN_SECONDS).text());
    }

    private static Map<String, String> seen(String lines) {
        Map<String, String> seen = new TreeMap<>();
        for (String line : lines.lines().toList()) {
            int colon = line.indexOf(": ");
            if (colon < 0) {
                throw new AssertionError("not a line of a scenario's: " + line + "\n" + lines);
            }
            seen.put(line.substring(0, colon), line.substring(colon + 2));
        }
        return seen;
    }

    private Command command(String script, String... arguments) {
        List<String> words = new ArrayList<>(interpreter);
        words.add(script);
        words.addAll(List.of(arguments));
        return new Command(directory, words);
    }

    private static Process start(Command command) {
        try {
            return command.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a tool that may be missing, or may miss the network; gives its output. */
    private static String require(Path directory, String... words) {
        Command.Output output = new Command(directory, List.of(words)).runIfInstalled(INSTALL_SECONDS);
        if (output.status() != 0) {
            return abort("skipped: \"" + String.join(" ", words) + "\" failed, as it does without a network:\n"
                    + output.text());
        }
        return output.text();
    }

    private static Path directory(String name) {
        try {
            return Files.createDirectories(ROOT.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path directory, String... names) {
        for (String name : names) {
            write(directory.resolve(name), resource(name));
        }
    }

    /** Whether what {@code list} asks for is not what is installed; the list is put in its place. */
    private static boolean isNew(Path directory, String list) {
        copy(directory, list);
        Path marker = directory.resolve(MARKER);
        try {
            return !Files.exists(marker) || !Files.readString(marker).equals(resource(list));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void installed(Path directory, String list) {
        write(directory.resolve(MARKER), resource(list));
    }

    private static String resource(String name) {
        try (InputStream in = ClientLibraries.class.getResourceAsStream("/clients/" + name)) {
            return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
