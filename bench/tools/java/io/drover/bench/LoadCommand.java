package io.drover.bench;

import java.io.PrintWriter;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench/load}: real requests to a running endpoint, such as a user's own deployment. */
@Command(
        name = "load",
        description = "Sends streamed requests to an endpoint and tells how it answered.",
        sortOptions = false,
        mixinStandardHelpOptions = true)
final class LoadCommand implements Callable<Integer> {
    @Option(
            names = "--url",
            required = true,
            paramLabel = "URL",
            description = "Of the server (then /api/chat), or of one of /api/generate, /api/chat, /v1/chat/completions;"
                    + " repeatable: each client takes one of them, in turn.")
    private List<URI> urls = List.of();

    @Option(names = "--key", paramLabel = "KEY", description = "Sent as a bearer token.")
    private String key = "";

    @Option(names = "--model", required = true, paramLabel = "NAME")
    private String model = "";

    @Option(names = "--concurrency", paramLabel = "C", defaultValue = "8", description = "At once (${DEFAULT-VALUE}).")
    private int concurrency;

    @Option(names = "--requests", paramLabel = "N", defaultValue = "100", description = "In all (${DEFAULT-VALUE}).")
    private int requests;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            defaultValue = "Why is the sky blue?",
            description = "Default: ${DEFAULT-VALUE}")
    private String prompt = "";

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "64",
            converter = TokenRangeConverter.class,
            description = "At most, each (${DEFAULT-VALUE}); 32-96: a number of these, by chance.")
    private TokenRange tokens = new TokenRange(1, 1); // picocli sets the default

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "600",
            description = "For an answer's head (${DEFAULT-VALUE}).")
    private int timeout;

    /** How many tokens a request asks for: any number from {@code least} to {@code most}. */
    record TokenRange(int least, int most) {
        int draw() {
            return ThreadLocalRandom.current().nextInt(least, most + 1);
        }
    }

    /** Reads a number, or two with a dash between them. */
    static final class TokenRangeConverter implements CommandLine.ITypeConverter<TokenRange> {
        private static final Pattern RANGE = Pattern.compile("([1-9]\\d{0,6})(?:-([1-9]\\d{0,6}))?");

        @Override
        public TokenRange convert(String text) {
            Matcher range = RANGE.matcher(text);
            if (range.matches()) {
                int least = Integer.parseInt(range.group(1));
                int most = range.group(2) == null ? least : Integer.parseInt(range.group(2));
                if (least <= most) {
                    return new TokenRange(least, most);
                }
            }
            throw new CommandLine.TypeConversionException("\"" + text + "\" (expected: such as 64 or 32-96)");
        }
    }

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        if (concurrency < 1 || requests < 1) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "--concurrency and --requests (expected: 1 or more)");
        }
        List<StreamedRequest> targets = urls.stream()
                .map(url -> new StreamedRequest(url, key, model, prompt, Duration.ofSeconds(timeout)))
                .toList();
        AtomicInteger left = new AtomicInteger(requests);
        ExecutorService clients = Executors.newFixedThreadPool(concurrency);
        long start = System.nanoTime();
        List<Future<List<StreamedRequest.Answer>>> running = new ArrayList<>();
        for (int i = 0; i < concurrency; i++) {
            StreamedRequest request = targets.get(i % targets.size());
            running.add(clients.submit(() -> {
                List<StreamedRequest.Answer> answers = new ArrayList<>();
                while (left.getAndDecrement() > 0) {
                    answers.add(request.send(tokens.draw()));
                }
                return answers;
            }));
        }
        List<StreamedRequest.Answer> answers = new ArrayList<>();
        running.forEach(client -> answers.addAll(Futures.get(client)));
        clients.shutdown();
        report(answers, (System.nanoTime() - start) / 1e9);
        return answers.stream().allMatch(answer -> answer.error().isEmpty()) ? 0 : 1;
    }

    private void report(List<StreamedRequest.Answer> answers, double seconds) {
        Histogram whole = Latencies.histogram();
        Histogram first = Latencies.histogram();
        Histogram rates = new Histogram(1, 1_000_000_000L, 3);
        Map<String, Integer> errors = new TreeMap<>();
        long received = 0;
        for (StreamedRequest.Answer answer : answers) {
            if (!answer.error().isEmpty()) {
                errors.merge(answer.error(), 1, Integer::sum);
                continue;
            }
            received += answer.tokens();
            Latencies.record(whole, answer.nanos());
            Latencies.record(first, answer.firstTokenNanos());
            if (answer.tokens() > 1) {
                double streaming = Math.max(1, answer.nanos() - answer.firstTokenNanos()) / 1e9;
                rates.recordValue(Math.min(1_000_000_000L, Math.round((answer.tokens() - 1) / streaming * 1000)));
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                Locale.ROOT,
                "%,d requests, %,d at once, in %.1f s: %.1f requests/s, %,.0f tokens/s in all%n%n",
                answers.size(),
                concurrency,
                seconds,
                answers.size() / seconds,
                received / seconds);
        out.printf(Locale.ROOT, "%-28s%10s%10s%10s%10s%10s%n", "", "mean", "deviation", "p50", "p95", "p99");
        row(out, "whole answer, ms", whole, 1e6);
        row(out, "time to first token, ms", first, 1e6);
        row(out, "tokens/s of one stream", rates, 1e3);
        int failed = errors.values().stream().mapToInt(Integer::intValue).sum();
        out.printf(Locale.ROOT, "%nerrors: %d%n", failed);
        errors.forEach((error, count) -> out.printf(Locale.ROOT, "  %d: %s%n", count, error));
        out.flush();
    }

    private static void row(PrintWriter out, String name, Histogram values, double unit) {
        if (values.getTotalCount() == 0) {
            out.printf(Locale.ROOT, "%-28s%10s%n", name, "none");
            return;
        }
        out.printf(
                Locale.ROOT,
                "%-28s%10.1f%10.1f%10.1f%10.1f%10.1f%n",
                name,
                values.getMean() / unit,
                values.getStdDeviation() / unit,
                values.getValueAtPercentile(50) / unit,
                values.getValueAtPercentile(95) / unit,
                values.getValueAtPercentile(99) / unit);
    }
}
