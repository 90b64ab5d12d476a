package io.drover.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import io.drover.testing.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The files that Prometheus, Alertmanager and Grafana are given, by what their own tools say and by the house's rules. */
class MonitoringFilesTest {
    private static final Path HERE = Path.of("").toAbsolutePath();
    private static final Path PROMETHEUS = Path.of("docker", "prometheus");
    private static final Path ALERTS = PROMETHEUS.resolve("rules").resolve("alerts.yml");
    private static final Path TESTS = PROMETHEUS.resolve("tests");
    private static final Path ALERTMANAGER = Path.of("docker", "alertmanager", "alertmanager.yml");
    private static final Path SOURCES = Path.of("docker", "grafana", "provisioning", "datasources", "prometheus.yml");
    private static final Path RUNBOOKS = Path.of("docs", "runbooks", "alerts");
    private static final int COLUMNS = 24;
    private static final int SECONDS = 30;

    private static void passes(String... words) {
        Command.Output output = new Command(HERE, List.of(words)).runIfInstalled(SECONDS);
        assertThat(output.status()).as(output.text()).isZero();
    }

    private static String[] words(List<String> command, Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return Stream.concat(command.stream(), files.sorted().map(Path::toString))
                    .toArray(String[]::new);
        }
    }

    @Test
    void promtoolAcceptsTheConfiguration() {
        // Only the syntax: the token is a file of the stack's.
        passes("promtool", "check", "config", "--syntax-only", PROMETHEUS + "/prometheus.yml");
    }

    @Test
    void promtoolAcceptsTheRules() throws IOException {
        passes(words(List.of("promtool", "check", "rules", "--lint-fatal"), PROMETHEUS.resolve("rules")));
    }

    @Test
    void eachAlertFiresWhenItShouldAndNotElse() throws IOException {
        passes(words(List.of("promtool", "test", "rules"), TESTS));
    }

    @Test
    void amtoolAcceptsTheConfiguration() {
        passes("amtool", "check-config", ALERTMANAGER.toString());
    }

    @ParameterizedTest
    @CsvSource({"DroverDown, page, page", "FirstTokenSlow, ticket, ticket", "Another, none, ticket"})
    void anAlertGoesToWhomItIsFor(String alert, String severity, String receiver) {
        passes(
                "amtool",
                "config",
                "routes",
                "test",
                "--config.file=" + ALERTMANAGER,
                "--verify.receivers=" + receiver,
                "alertname=" + alert,
                "severity=" + severity);
    }

    /** The text of each alert's rule, by the alert's name, which several may have. */
    private static List<String> rules() throws IOException {
        List<String> rules = new ArrayList<>(List.of(Files.readString(ALERTS).split("- alert: ")));
        rules.remove(0);
        assertThat(rules).hasSizeGreaterThan(10);
        return rules;
    }

    private static String name(String rule) {
        return rule.lines().findFirst().orElseThrow();
    }

    @Test
    void everyAlertSaysHowUrgentItIsAndWhatToDo() throws IOException {
        for (String rule : rules()) {
            String runbook = RUNBOOKS.resolve(name(rule) + ".md").toString();
            assertThat(rule)
                    .containsPattern("\n +labels: \\{ severity: (page|ticket) }\n")
                    .containsPattern("\n +summary: \\S")
                    .containsPattern("\n +description: \\S")
                    .contains("\n          runbook: " + runbook + "\n");
            assertThat(Path.of(runbook)).exists();
        }
    }

    @Test
    void everyAlertIsTestedBothWays() throws IOException {
        String tests = Files.readString(TESTS.resolve("alerts.yml"));
        for (String rule : rules()) {
            assertThat(tests)
                    .contains("- { alertname: " + name(rule) + ", eval_time:")
                    .containsPattern("- alertname: " + name(rule) + "\n +eval_time: \\w+\n +exp_alerts:");
        }
    }

    static List<Dashboard> dashboards() {
        return Dashboard.all();
    }

    @Test
    void thereIsADashboardForEachPart() {
        assertThat(dashboards())
                .extracting(Dashboard::toString)
                .containsExactly(
                        "backends.json", "cache.json", "gpu.json", "limits.json", "models.json", "overview.json");
        assertThat(dashboards())
                .extracting(dashboard -> dashboard.json().getString("uid"))
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    void everyPanelSaysWhatItShowsAndFromWhere(Dashboard dashboard) throws IOException {
        String source = source();
        for (Config panel : dashboard.panels()) {
            String title = panel.getString("title");
            assertThat(panel.getString("description")).as(title).isNotBlank();
            assertThat(panel.getString("datasource.uid")).as(title).isEqualTo(source);
            assertThat(panel.getString("fieldConfig.defaults.unit")).as(title).isNotBlank();
            assertThat(panel.getConfigList("targets")).as(title).isNotEmpty();
            assertThat(panel.getConfigList("targets"))
                    .as(title)
                    .extracting(target -> target.getString("refId"))
                    .doesNotHaveDuplicates();
        }
        for (Config variable : dashboard.variables()) {
            assertThat(variable.getString("datasource.uid")).isEqualTo(source);
        }
    }

    /** The last value of a range may be hours old: of a Drover that is dead by now. */
    @ParameterizedTest
    @MethodSource("dashboards")
    void whatStandsAloneIsOfNow(Dashboard dashboard) {
        for (Config panel : dashboard.panels()) {
            if (Set.of("stat", "table").contains(panel.getString("type"))) {
                assertThat(panel.getConfigList("targets"))
                        .as(panel.getString("title"))
                        .allMatch(target -> target.getBoolean("instant") && !target.getBoolean("range"));
            }
        }
    }

    /** The uid of the first source that Grafana is given. */
    private static String source() throws IOException {
        Matcher uid = Pattern.compile("\n +uid: (\\w+)\n").matcher(Files.readString(SOURCES));
        assertThat(uid.find()).isTrue();
        return uid.group(1);
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    void noPanelLiesOnAnotherOne(Dashboard dashboard) {
        Set<Integer> ids = new HashSet<>();
        Set<List<Integer>> taken = new HashSet<>();
        for (Config panel : dashboard.json().getConfigList("panels")) {
            String title = panel.getString("title");
            assertThat(ids.add(panel.getInt("id"))).as(title).isTrue();
            Config place = panel.getConfig("gridPos");
            assertThat(place.getInt("x") + place.getInt("w")).as(title).isLessThanOrEqualTo(COLUMNS);
            for (int x = 0; x < place.getInt("w"); x++) {
                for (int y = 0; y < place.getInt("h"); y++) {
                    assertThat(taken.add(List.of(place.getInt("x") + x, place.getInt("y") + y)))
                            .as(title)
                            .isTrue();
                }
            }
        }
    }
}
