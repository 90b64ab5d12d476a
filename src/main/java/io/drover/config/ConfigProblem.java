package io.drover.config;

/**
 * One thing that is wrong, or that has no effect, in a configuration. Never holds a secret.
 *
 * @param file the file as the user named it, or {@code environment}, or {@code command line}
 * @param line its line, from 1; 0 where there is none
 * @param key the key in full, or the environment variable; empty where the file as a whole is meant
 * @param value what was found, strings in quotes
 * @param expected what would be right
 */
public record ConfigProblem(String file, int line, String key, String value, String expected) {

    static final String ENVIRONMENT = "environment";
    static final String COMMAND_LINE = "command line";

    /** As compilers print it: {@code conf/drover.conf:12: drover.timeouts.idle: "soon" (expected: a duration ...)}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(file);
        if (file.equals(ENVIRONMENT)) {
            text.append(' ');
        } else {
            text.append(line > 0 ? ":" + line : "").append(": ");
        }
        if (!key.isEmpty()) {
            text.append(key).append(": ");
        }
        return text.append(value)
                .append(" (expected: ")
                .append(expected)
                .append(')')
                .toString();
    }
}
