package io.drover.health;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How the system completes short host names: {@code search} and {@code ndots} of {@code resolv.conf(5)}.
 *
 * @param domains without a dot at the end; empty text stands for the root
 * @param ndots a name with fewer dots is tried below the domains before it is tried as it is
 */
record SearchList(List<String> domains, int ndots) {
    static final SearchList NONE = new SearchList(List.of(), 1);

    private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");

    /** RFC 1035, 3.1, as text with the dot at the end. */
    private static final int MAX_LENGTH = 254;

    /** The system's, read now; blocks for a small file. None where there is no such file. */
    static SearchList ofSystem() {
        try {
            return parse(Files.readAllLines(RESOLV_CONF, StandardCharsets.ISO_8859_1));
        } catch (IOException absent) {
            return NONE;
        }
    }

    static SearchList parse(List<String> lines) {
        List<String> domains = List.of();
        int ndots = NONE.ndots;
        for (String line : lines) {
            String[] words = line.strip().split("[ \t]+");
            List<String> values = List.of(words).subList(1, words.length);
            switch (words[0]) {
                // The last one wins (resolv.conf(5)).
                case "search", "domain" ->
                    domains = values.stream().map(SearchList::withoutDot).toList();
                case "options" -> ndots = ndots(values, ndots);
                default -> {}
            }
        }
        return new SearchList(domains, ndots);
    }

    /** The complete names to try, in this order, each with a dot at its end. */
    List<String> candidates(String name) {
        if (name.endsWith(".")) {
            return List.of(name);
        }
        List<String> names = new ArrayList<>();
        for (String domain : domains) {
            names.add(name + "." + (domain.isEmpty() ? "" : domain + "."));
        }
        long dots = name.chars().filter(c -> c == '.').count();
        names.add(dots >= ndots ? 0 : names.size(), name + ".");
        return names.stream()
                .distinct()
                .filter(candidate -> candidate.length() <= MAX_LENGTH)
                .toList();
    }

    private static int ndots(List<String> options, int otherwise) {
        int ndots = otherwise;
        for (String option : options) {
            if (option.matches("ndots:[0-9]{1,3}")) {
                ndots = Integer.parseInt(option.substring("ndots:".length()));
            }
        }
        return ndots;
    }

    private static String withoutDot(String domain) {
        return domain.endsWith(".") ? domain.substring(0, domain.length() - 1) : domain;
    }
}
