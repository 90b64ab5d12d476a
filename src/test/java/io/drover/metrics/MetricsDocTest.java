package io.drover.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.DroverConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The page on metrics and the program say the same. */
class MetricsDocTest {
    private static final Path PAGE = Path.of("docs", "metrics.md");
    private static final Pattern ROW =
            Pattern.compile("\\| `([a-z_]+)` \\| (counter|gauge|histogram) \\| ([^|]*) \\|.*");
    private static final Pattern FIELD_ROW = Pattern.compile("\\| `([a-z_]+)` \\| (?!counter|gauge|histogram).*");

    @Test
    void everyMetricIsOnThePageWithItsTypeAndNothingElse() throws IOException {
        Set<String> documented = new TreeSet<>();
        for (String line : Files.readAllLines(PAGE)) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                documented.add(row.group(1) + " " + row.group(2));
            }
        }
        Set<String> scraped = new TreeSet<>();
        for (String line : fullScrape().lines().toList()) {
            if (line.startsWith("# TYPE ") && !line.startsWith("# TYPE jvm_") && !line.startsWith("# TYPE process_")) {
                scraped.add(line.substring("# TYPE ".length()));
            }
        }
        assertThat(documented).isNotEmpty().isEqualTo(scraped);
    }

    @Test
    void everyMetricsLabelsAreOnThePage() throws IOException {
        String scrape = fullScrape();
        for (String line : Files.readAllLines(PAGE)) {
            Matcher row = ROW.matcher(line);
            if (!row.matches()) {
                continue;
            }
            String sample = scrape.lines()
                    .filter(text -> text.matches(row.group(1) + "(_sum)?[{ ].*"))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no sample of " + row.group(1)));
            Set<String> labels = new TreeSet<>();
            Matcher label = Pattern.compile("([a-z]+)=\"").matcher(sample);
            while (label.find()) {
                labels.add(label.group(1));
            }
            Set<String> documented =
                    new TreeSet<>(List.of(row.group(3).replace("`", "").split("[, ]+")));
            documented.remove("");
            documented.remove("-");
            assertThat(documented).as(row.group(1)).isEqualTo(labels);
        }
    }

    @Test
    void everyFieldOfTheAccessLogIsOnThePage() throws Exception {
        JsonLines<AccessRecord> lines = new JsonLines<>(new AccessLogFormat());
        lines.add(TestRecord.chat("m", 200)
                .withEndpoint(TestRecord.UNFINISHED, true)
                .withOutcome(Outcome.failed(200, Phase.RELAY, Side.CLIENT, "gone")));
        lines.add(TestRecord.chat("m", 200).withEndpoint(TestRecord.KEPT, true).withPrincipal("team-a"));
        lines.addLost(1);
        Set<String> written = new TreeSet<>();
        Matcher field = Pattern.compile("\"([a-z_]+)\":").matcher(StandardCharsets.UTF_8.decode(lines.bytes()));
        while (field.find()) {
            written.add(field.group(1));
        }
        Set<String> documented = new TreeSet<>();
        for (String line : Files.readAllLines(PAGE)) {
            Matcher row = FIELD_ROW.matcher(line);
            if (row.matches()) {
                documented.add(row.group(1));
            }
        }
        assertThat(documented).isEqualTo(written);
    }

    /** A scrape in which each metric has at least one sample. */
    private static String fullScrape() {
        Metrics metrics = new Metrics(new DroverConfig.Metrics(10, Duration.ofSeconds(5)));
        metrics.onFinish(TestRecord.chat("m", 200));
        metrics.onRetry("connection refused");
        metrics.onStreamStall();
        metrics.onTlsHandshakeFailure();
        metrics.onLimitRefusal("requests");
        metrics.onLimitDelay("requests");
        metrics.onReload(true);
        metrics.onAuditLogDropped("disk", 1);
        metrics.onAuthentication("missing");
        metrics.onUpstreamConnect("gpu-a", ConnectResult.REFUSED);
        metrics.onEjection("gpu-a", "connection refused");
        metrics.onDegradation("gpu-a", "slow");
        metrics.onFinish(TestRecord.chat("m", 200).withEndpoint(TestRecord.UNFINISHED, true));
        metrics.backends(() -> List.of(new Backend()));
        metrics.connections(Side.CLIENT, () -> 1);
        metrics.connections(Side.UPSTREAM, () -> 1);
        metrics.retainedBodyBytes(() -> 0);
        metrics.outboundBytes(() -> 0);
        metrics.redisUp(() -> true);
        metrics.sharedLimits(() -> true, () -> 2);
        metrics.buildInfo("0.1.0", "nio");
        CacheMetrics cache = metrics.cache();
        cache.onBypass("client");
        cache.onEviction("size", 1);
        cache.onPurge("all");
        cache.memoryBytes(() -> 1);
        cache.recordingBytes(() -> 1);
        cache.entries(() -> 1);
        cache.followers(() -> 1);
        cache.semanticEntries(() -> 1);
        cache.breakerOpen(() -> false);
        return new String(metrics.scrape(null), StandardCharsets.UTF_8);
    }

    private static final class Backend implements BackendView {
        @Override
        public String name() {
            return "gpu-a";
        }

        @Override
        public boolean up() {
            return true;
        }

        @Override
        public Side state() {
            return Side.PROXY;
        }

        @Override
        public int inFlight() {
            return 0;
        }

        @Override
        public List<String> loadedModels() {
            return List.of("m");
        }
    }
}
