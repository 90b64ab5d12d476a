package io.drover.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the README and the pages for those who move over tell their readers to write is valid and has an effect. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ReadmeTest {
    private static final Pattern FILE = Pattern.compile("```hocon\n(.*?)```", Pattern.DOTALL);
    private static final Pattern ROW = Pattern.compile("(?m)^\\| .* \\| (.*) \\|$");
    private static final String RESOURCES = "src/test/resources/io/drover/config/";
    private static final Pattern SETTING = Pattern.compile("`([^`]* = [^`]*)`");

    private static List<String> firstGroups(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(found -> found.group(1)).toList();
    }

    private static String text(String page) throws IOException {
        return Files.readString(Path.of(page));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "README.md",
                "docs/from-nginx.md",
                "docs/from-haproxy.md",
                "docs/from-gateway.md",
                "docs/scaling.md"
            })
    void every_file_it_shows_is_valid(String page, @TempDir Path directory) throws Exception {
        List<String> files = firstGroups(FILE, text(page));

        assertThat(files).isNotEmpty();
        for (String file : files) {
            assertThat(new Loading(directory).file(withRealFiles(file)).config().backends())
                    .hasSize(2);
        }
    }

    @ParameterizedTest
    @CsvSource({"README.md, 30", "docs/from-nginx.md, 8", "docs/from-haproxy.md, 20", "docs/from-gateway.md, 15"})
    void every_setting_it_offers_to_those_who_move_over_works(String page, int more, @TempDir Path directory)
            throws Exception {
        List<String> settings = firstGroups(ROW, text(page)).stream()
                .flatMap(cell -> firstGroups(SETTING, cell).stream())
                .toList();

        assertThat(settings).hasSizeGreaterThan(more);
        for (String setting : settings) {
            assertThatCode(() -> new Loading(directory)
                            .file(file(withRealFiles(setting)))
                            .config())
                    .as(setting)
                    .doesNotThrowAnyException();
        }
    }

    /** Certificates and keys are read with the configuration, so that those the README names have to be there. */
    private static String withRealFiles(String setting) {
        return setting.replace("/etc/drover/fullchain.pem", RESOURCES + "tls-certificate.pem")
                .replace("/etc/nginx/ca.pem", RESOURCES + "tls-certificate.pem")
                .replace("/etc/drover/privkey.pem", RESOURCES + "tls-key.pem");
    }

    private static String file(String setting) {
        if (setting.startsWith("{")) {
            return "drover.backends = [" + setting + "]\n";
        }
        return "drover {\n" + setting + "\n}\n" + (setting.startsWith("backends") ? "" : Loading.ONE_BACKEND);
    }
}
