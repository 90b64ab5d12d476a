package io.drover.config;

import com.typesafe.config.ConfigException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What typesafe-config says of a file that it cannot read, without advice and without what stands in the file. */
record SyntaxMessage(String found, String expected) {

    /** @param file the file that was to be read, as the user named it */
    static SyntaxMessage of(ConfigException cause, String file) {
        String message = cause.getMessage() == null ? "" : cause.getMessage();
        String where = cause.origin() == null ? file : cause.origin().description();
        if (cause instanceof ConfigException.IO) {
            String found = Files.exists(Path.of(file)) ? "cannot be read" : "no such file";
            return new SyntaxMessage(
                    where.equals(file) ? found : "include \"" + Findings.shorten(where) + "\"",
                    "a readable HOCON file");
        }
        if (cause instanceof ConfigException.UnresolvedSubstitution) {
            // "file: line: Could not resolve substitution to a value: ${NAME}"
            return new SyntaxMessage(
                    message.substring(Math.max(0, message.indexOf("${"))),
                    "a key of this file or a variable of the environment; ${?NAME} may be missing");
        }
        if (!(cause instanceof ConfigException.Parse || cause instanceof ConfigException.BadPath)) {
            // What these say holds values.
            return new SyntaxMessage("values that cannot be joined", "text beside text, or an object beside an object");
        }
        String origin = where + ": ";
        String said = message.startsWith(origin) ? message.substring(origin.length()) : message;
        if (said.contains("close parentheses") && said.endsWith("end of file")) {
            // Said of braces too.
            return new SyntaxMessage("the file ends inside braces or parentheses", "} or )");
        }
        int advice = said.indexOf(" (if you ");
        // A quoted token may be a secret, and a secret may contain quotes: from the first to the last.
        String open = (advice < 0 ? said : said.substring(0, advice)).replaceAll("(?s)'.{2,}'", "'...'");
        return new SyntaxMessage(open, "HOCON");
    }
}
