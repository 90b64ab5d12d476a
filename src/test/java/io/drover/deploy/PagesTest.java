package io.drover.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever follows a page at night must not meet a link that leads nowhere, or ask for a metric that there is not. */
class PagesTest {
    private static final Path RUNBOOKS = Path.of("docs", "runbooks");
    private static final Pattern BLOCK = Pattern.compile("(?ms)^ *```.*?^ *```$");
    private static final Pattern LINK = Pattern.compile("\\[[^\\]]*\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
    // One name, or several in one of grep's patterns: drover_(redis_up|limits_shared)
    private static final Pattern METRIC = Pattern.compile("\\b((?:drover|llm)_[a-z_]*)(?:\\\\?\\(([a-z_|]+)\\))?");

    static Stream<Path> pages() throws IOException {
        try (Stream<Path> docs = Files.walk(Path.of("docs"))) {
            List<Path> found = docs.filter(PagesTest::isPage).toList();
            return Stream.concat(
                    found.stream(),
                    Stream.of(
                            Path.of("README.md"),
                            Path.of("bench", "README.md"),
                            Path.of("docker", "kubernetes", "README.md")));
        }
    }

    private static boolean isPage(Path file) {
        return file.toString().endsWith(".md");
    }

    private static String prose(Path page) throws IOException {
        return BLOCK.matcher(Files.readString(page)).replaceAll("");
    }

    @ParameterizedTest
    @MethodSource("pages")
    void eachOfItsLinksLeadsSomewhere(Path page) throws IOException {
        for (MatchResult link : LINK.matcher(prose(page)).results().toList()) {
            String[] target = link.group(1).split("#", 2);
            if (target[0].contains("://")) {
                continue;
            }
            Path file =
                    target[0].isEmpty() ? page : page.resolveSibling(target[0]).normalize();
            assertThat(file).as(link.group()).exists();
            if (target.length > 1) {
                assertThat(anchors(file)).as(link.group()).contains(target[1]);
            }
        }
    }

    /** As GitHub makes them of headings. */
    private static Set<String> anchors(Path page) throws IOException {
        return HEADING.matcher(prose(page))
                .results()
                .map(heading -> LINK.matcher(heading.group(1)).replaceAll("").toLowerCase(Locale.ROOT))
                .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    @Test
    void runbooksNameMetricsThatThereAre() throws IOException {
        String known = Files.readString(Path.of("docs", "metrics.md"));
        try (Stream<Path> runbooks = Files.walk(RUNBOOKS)) {
            for (Path page : runbooks.filter(PagesTest::isPage).toList()) {
                assertThat(metrics(Files.readString(page))).as(page.toString()).allSatisfy(metric -> assertThat(known)
                        .contains("| `" + metric + "` |"));
            }
        }
    }

    private static List<String> metrics(String text) {
        return METRIC.matcher(text)
                .results()
                .flatMap(found -> found.group(2) == null
                        ? Stream.of(found.group(1))
                        : Stream.of(found.group(2).split("\\|")).map(end -> found.group(1) + end))
                .map(name -> name.replaceFirst("_seconds_(sum|count|bucket)?$", "_seconds"))
                .filter(name -> !name.endsWith("_")) // drover_... is a secret
                .toList();
    }
}
