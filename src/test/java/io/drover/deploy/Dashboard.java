package io.drover.deploy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A dashboard of Grafana's, as its file has it. */
record Dashboard(Path file, Config json) {
    private static final Path DIRECTORY = Path.of("docker", "grafana", "dashboards");
    private static final Pattern LABEL_VALUES = Pattern.compile("label_values\\((.+), (\\w+)\\)");

    static List<Dashboard> all() {
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            return files.sorted()
                    .map(file -> new Dashboard(file, ConfigFactory.parseFile(file.toFile())))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Its panels that show something. */
    List<? extends Config> panels() {
        return json.getConfigList("panels").stream()
                .filter(panel -> !panel.getString("type").equals("row"))
                .toList();
    }

    List<? extends Config> variables() {
        return json.getConfigList("templating.list");
    }

    /** What its panels and variables ask Prometheus, with all values of each variable. */
    List<Expression> expressions() {
        List<Expression> expressions = new ArrayList<>();
        for (Config panel : panels()) {
            for (Config target : panel.getConfigList("targets")) {
                String text = target.getString("expr")
                        .replace("$__rate_interval", "1m")
                        .replace("$__interval", "1s");
                for (Config variable : variables()) {
                    text = text.replace("$" + variable.getString("name"), variable.getString("allValue"));
                }
                expressions.add(new Expression(this + ", " + panel.getString("title"), text));
            }
        }
        for (Config variable : variables()) {
            Matcher values = LABEL_VALUES.matcher(variable.getString("definition"));
            if (!values.matches()) {
                throw new AssertionError(this + ": " + variable.getString("definition"));
            }
            String text = values.group(1) + "{" + values.group(2) + "!=\"\"}";
            expressions.add(new Expression(this + ", $" + variable.getString("name"), text));
        }
        return expressions;
    }

    @Override
    public String toString() {
        return file.getFileName().toString();
    }
}
