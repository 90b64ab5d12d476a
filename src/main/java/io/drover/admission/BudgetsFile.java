package io.drover.admission;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what is used up of budgets across restarts, a line of JSON for each key of each budget. It is written as a whole
 * beside itself and renamed, every ten seconds if something has changed; what was used up since is lost with a process
 * that is killed.
 *
 * <p>Everything here waits for the disk, and runs on the given executor or on the thread that opens and closes.
 */
public final class BudgetsFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BudgetsFile.class);
    private static final JsonFactory JSON = new JsonFactory();
    private static final long EVERY_SECONDS = 10;

    private final Path file;
    private final Budgets budgets;
    private final LongSupplier wallMillis;
    private final ScheduledFuture<?> writing;

    private BudgetsFile(Path file, Budgets budgets, ScheduledExecutorService executor, LongSupplier wallMillis) {
        this.file = file;
        this.budgets = budgets;
        this.wallMillis = wallMillis;
        read();
        this.writing =
                executor.scheduleWithFixedDelay(this::writeIfChanged, EVERY_SECONDS, EVERY_SECONDS, TimeUnit.SECONDS);
    }

    /**
     * Reads the file, if there is one, into {@code budgets} and writes them from then on. A file that cannot be read is
     * told in the log and set aside.
     *
     * @param budgets of the limiter, before the first request
     * @param executor stays the caller's
     * @param wallMillis the time since the epoch
     */
    public static BudgetsFile open(
            Path file, Budgets budgets, ScheduledExecutorService executor, LongSupplier wallMillis) {
        return new BudgetsFile(file, budgets, executor, wallMillis);
    }

    /** Writes what has changed and does so no more. */
    @Override
    public void close() {
        writing.cancel(false);
        writeIfChanged();
    }

    private synchronized void writeIfChanged() {
        if (!budgets.takeChanged()) {
            return;
        }
        try {
            write();
        } catch (IOException | UncheckedIOException e) {
            budgets.onChange();
            LOG.warn("budgets not written to {}: {}", file, e.toString());
        }
    }

    private void write() throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".next");
        long now = wallMillis.getAsLong();
        try (Writer out = Files.newBufferedWriter(next);
                JsonGenerator json = JSON.createGenerator(out)) {
            json.setRootValueSeparator(null);
            for (Map.Entry<String, Spending> budget : budgets.spendings().entrySet()) {
                budget.getValue().forEach((key, account) -> {
                    if (account.term().untilMillis() > now) {
                        write(json, new Line(budget.getKey(), key, account));
                    }
                });
            }
        }
        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void write(JsonGenerator json, Line line) {
        try {
            json.writeStartObject();
            json.writeStringField("budget", line.budget);
            json.writeStringField("key", line.key);
            json.writeStringField("from", line.account.term().first().toString());
            json.writeNumberField("tokens", line.account.tokens());
            json.writeNumberField("gpu_nanos", line.account.gpuNanos());
            json.writeEndObject();
            json.writeRaw('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private record Line(String budget, String key, Account account) {}

    private void read() {
        if (!Files.exists(file)) {
            return;
        }
        List<Stored> lines = new ArrayList<>();
        try (BufferedReader in = Files.newBufferedReader(file)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                lines.add(Stored.parse(line));
            }
        } catch (IOException | NumberFormatException e) {
            setAside(lines.size() + 1, e);
        }
        long now = wallMillis.getAsLong();
        for (Stored line : lines) {
            Spending spending = budgets.spendings().get(line.budget);
            if (spending != null) {
                spending.restore(line, now);
            }
        }
    }

    /** What stands before the damage counts all the same: to forget it would be to give everything twice. */
    private void setAside(int line, Exception damage) {
        Path aside = file.resolveSibling(file.getFileName() + ".damaged");
        LOG.warn("budgets in {} are damaged at line {} and kept as {}: {}", file, line, aside, damage.toString());
        budgets.onChange();
        try {
            Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("{} not set aside: {}", file, e.toString());
        }
    }

    /**
     * One line as it was read.
     *
     * @param from first day of its period
     */
    record Stored(String budget, String key, String from, long tokens, long gpuNanos) {
        static Stored parse(String line) throws IOException {
            Stored read = new Stored("", "", "", 0, 0);
            try (JsonParser json = JSON.createParser(line)) {
                expect(json.nextToken() == JsonToken.START_OBJECT, line);
                for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                    read = read.with(name, json.nextToken() == null ? null : json.getText());
                }
                expect(json.currentToken() == JsonToken.END_OBJECT, line);
            }
            expect(!read.budget.isEmpty() && !read.from.isEmpty() && read.tokens >= 0 && read.gpuNanos >= 0, line);
            return read;
        }

        private static void expect(boolean kept, String line) throws IOException {
            if (!kept) {
                String start = line.length() > 100 ? line.substring(0, 100) + "..." : line;
                throw new IOException(start + " (expected: an object with budget, key, from, tokens and gpu_nanos)");
            }
        }

        private Stored with(String name, @Nullable String value) throws IOException {
            expect(value != null, name);
            String text = value == null ? "" : value;
            return switch (name) {
                case "budget" -> new Stored(text, key, from, tokens, gpuNanos);
                case "key" -> new Stored(budget, text, from, tokens, gpuNanos);
                case "from" -> new Stored(budget, key, text, tokens, gpuNanos);
                case "tokens" -> new Stored(budget, key, from, Long.parseLong(text), gpuNanos);
                case "gpu_nanos" -> new Stored(budget, key, from, tokens, Long.parseLong(text));
                default -> this;
            };
        }
    }
}
