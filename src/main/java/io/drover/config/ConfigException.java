package io.drover.config;

import java.util.List;
import java.util.stream.Collectors;

/** A configuration that cannot be used, with everything that is wrong in it; the message has one line for each. */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<ConfigProblem> problems;

    /** @param message of problems that another file has, told in full */
    public ConfigException(String message) {
        super(message);
        this.problems = List.of();
    }

    /** @param problems never empty */
    public ConfigException(List<ConfigProblem> problems) {
        super(problems.stream().map(ConfigProblem::toString).collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    /** In the order of their lines; empty where only another file, such as that of the keys, is wrong. */
    public List<ConfigProblem> problems() {
        return problems;
    }
}
