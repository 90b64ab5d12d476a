package io.drover.admission;

import com.fasterxml.jackson.core.JsonParser;
import io.drover.config.Rate;
import io.drover.config.Spelling;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What may be said of a caller besides its name, in a line of the keys file or in a token's claim, and how it is read:
 * {@code owner}, {@code models}, {@code paths}, {@code requests}, {@code requests_burst}, {@code tokens},
 * {@code tokens_burst}, {@code tokens_per_day}, {@code tokens_per_month}, {@code gpu_time_per_day},
 * {@code gpu_time_per_month}, {@code in_flight}, {@code priority}, {@code expires} and {@code enabled}. None is required.
 */
public final class PrincipalFields {
    /** The fields that exist. */
    public static final List<String> NAMES = List.of(
            "owner",
            "models",
            "paths",
            "requests",
            "requests_burst",
            "tokens",
            "tokens_burst",
            "tokens_per_day",
            "tokens_per_month",
            "gpu_time_per_day",
            "gpu_time_per_month",
            "in_flight",
            "priority",
            "expires",
            "enabled");

    private static final Pattern PATH = Pattern.compile("/\\S*");
    private static final Pattern MODEL = Pattern.compile("\\S+");
    private static final Pattern PRIORITY = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m|h|d)");

    private static final long MOST_REQUESTS = 1_000_000;
    private static final long MOST_TOKENS = 1_000_000_000;
    private static final long MOST_COUNTED = 999_999_999_999_999L;
    private static final Duration LONGEST = Duration.ofDays(365);

    private static final int FIRST_YEAR = 1970;
    private static final int LAST_YEAR = 9999;

    private final List<FieldProblem> problems;

    private String owner = "";
    private Patterns models = Patterns.ALL;
    private Patterns paths = Patterns.ALL;
    private Optional<Rate> requests = Optional.empty();
    private int requestsBurst;
    private Optional<Rate> tokens = Optional.empty();
    private int tokensBurst;
    private long tokensPerDay;
    private long tokensPerMonth;
    private Duration gpuTimePerDay = Duration.ZERO;
    private Duration gpuTimePerMonth = Duration.ZERO;
    private int inFlight;
    private String priority = "";
    private Optional<Instant> expires = Optional.empty();
    private boolean enabled = true;

    private PrincipalFields(List<FieldProblem> problems) {
        this.problems = problems;
    }

    /**
     * The caller of whom all this is said.
     *
     * @param fields texts, booleans, whole numbers and lists of texts, as JSON libraries give them
     * @throws FieldsException with every mistake
     */
    public static Principal of(String name, Map<String, ? extends @Nullable Object> fields) throws FieldsException {
        List<FieldProblem> problems = new ArrayList<>();
        Principal principal = read(name, fields, NAMES, problems);
        if (!problems.isEmpty()) {
            throw new FieldsException(problems);
        }
        return principal;
    }

    /**
     * The same of an object in JSON, of which {@code json} stands on the beginning and afterwards on the end.
     *
     * @throws IOException if it is no JSON
     */
    public static Principal of(String name, JsonParser json) throws FieldsException, IOException {
        List<FieldProblem> problems = new ArrayList<>();
        Principal principal = read(name, JsonFields.read(json, problems), NAMES, problems);
        if (!problems.isEmpty()) {
            throw new FieldsException(problems);
        }
        return principal;
    }

    /**
     * Reads what it can.
     *
     * @param known names of the fields that exist there
     * @param problems where mistakes are added; with any, what is returned is of no use
     */
    static Principal read(
            String name,
            Map<String, ? extends @Nullable Object> fields,
            Collection<String> known,
            List<FieldProblem> problems) {
        PrincipalFields read = new PrincipalFields(problems);
        fields.forEach((field, value) -> {
            if (NAMES.contains(field)) {
                read.field(field, value);
            } else if (!known.contains(field)) {
                // Without the value, which may be a secret whose field has a slip.
                problems.add(new FieldProblem(
                        "",
                        "unknown field " + FieldProblem.quote(field),
                        "a known field; the nearest is " + Spelling.nearest(field, known)));
            }
        });
        read.burstNeedsRate("requests", read.requests, read.requestsBurst);
        read.burstNeedsRate("tokens", read.tokens, read.tokensBurst);
        return read.principal(name);
    }

    private Principal principal(String name) {
        Allowance allowance = new Allowance(
                requests,
                requestsBurst,
                tokens,
                tokensBurst,
                tokensPerDay,
                tokensPerMonth,
                gpuTimePerDay,
                gpuTimePerMonth,
                inFlight);
        return new Principal(name, owner, models, paths, allowance, priority, expires, enabled);
    }

    private void field(String field, @Nullable Object value) {
        switch (field) {
            case "owner" -> owner = text(field, value);
            case "models" -> models = patterns(field, value, MODEL, "a list of names such as \"llama3*\"");
            case "paths" -> paths = patterns(field, value, PATH, "a list of paths such as \"/api/chat\" or \"/v1/*\"");
            case "requests" -> requests = rate(field, value);
            case "requests_burst" -> requestsBurst = (int) number(field, value, MOST_REQUESTS);
            case "tokens" -> tokens = rate(field, value);
            case "tokens_burst" -> tokensBurst = (int) number(field, value, MOST_TOKENS);
            case "tokens_per_day" -> tokensPerDay = number(field, value, MOST_COUNTED);
            case "tokens_per_month" -> tokensPerMonth = number(field, value, MOST_COUNTED);
            case "gpu_time_per_day" -> gpuTimePerDay = duration(field, value);
            case "gpu_time_per_month" -> gpuTimePerMonth = duration(field, value);
            case "in_flight" -> inFlight = (int) number(field, value, MOST_REQUESTS);
            case "priority" -> priority = priority(field, value);
            case "expires" -> expires = time(field, value);
            default -> enabled = flag(field, value);
        }
    }

    private void burstNeedsRate(String field, Optional<Rate> rate, int burst) {
        boolean wrong = problems.stream().anyMatch(problem -> problem.field().equals(field));
        if (burst > 0 && rate.isEmpty() && !wrong) {
            problem(field + "_burst", burst, "0, or " + field + " beside it");
        }
    }

    private String text(String field, @Nullable Object value) {
        if (value instanceof String text) {
            return text;
        }
        problem(field, value, "text");
        return "";
    }

    private Patterns patterns(String field, @Nullable Object value, Pattern valid, String expected) {
        if (!(value instanceof Collection<?> elements)) {
            problem(field, value, expected);
            return Patterns.ALL;
        }
        List<String> patterns = new ArrayList<>();
        for (Object element : elements) {
            if (element instanceof String text && valid.matcher(text).matches()) {
                patterns.add(text);
            } else {
                problem(field, element, expected);
            }
        }
        return Patterns.of(patterns);
    }

    private Optional<Rate> rate(String field, @Nullable Object value) {
        Optional<Rate> rate = value instanceof String text ? Rate.parse(text.trim()) : Optional.empty();
        if (rate.isEmpty()) {
            problem(field, value, Rate.EXPECTED);
        }
        return rate;
    }

    private long number(String field, @Nullable Object value, long most) {
        if (value instanceof Long || value instanceof Integer) {
            long number = ((Number) value).longValue();
            if (number >= 0 && number <= most) {
                return number;
            }
        }
        problem(field, value, "a whole number from 0 to " + most);
        return 0;
    }

    private Duration duration(String field, @Nullable Object value) {
        if (value instanceof String text) {
            Matcher parts = DURATION.matcher(text.trim());
            if (parts.matches()) {
                long count = Long.parseLong(parts.group(1));
                Duration duration =
                        switch (parts.group(2)) {
                            case "ms" -> Duration.ofMillis(count);
                            case "s" -> Duration.ofSeconds(count);
                            case "m" -> Duration.ofMinutes(count);
                            case "h" -> Duration.ofHours(count);
                            default -> Duration.ofDays(count);
                        };
                if (duration.compareTo(LONGEST) <= 0) {
                    return duration;
                }
            }
        }
        problem(field, value, "a duration such as 90m or 2h, up to " + LONGEST.toDays() + "d");
        return Duration.ZERO;
    }

    private String priority(String field, @Nullable Object value) {
        if (value instanceof String text
                && (text.isEmpty() || PRIORITY.matcher(text).matches())) {
            return text;
        }
        problem(field, value, "a word such as interactive");
        return "";
    }

    private Optional<Instant> time(String field, @Nullable Object value) {
        if (value instanceof String text) {
            try {
                OffsetDateTime time = text.contains("T")
                        ? OffsetDateTime.parse(text)
                        : LocalDate.parse(text).atStartOfDay().atOffset(ZoneOffset.UTC);
                if (time.getYear() >= FIRST_YEAR && time.getYear() <= LAST_YEAR) {
                    return Optional.of(time.toInstant());
                }
            } catch (DateTimeException noTime) {
                // Falls through to the report.
            }
        }
        problem(field, value, "a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z");
        return Optional.empty();
    }

    private boolean flag(String field, @Nullable Object value) {
        if (value instanceof Boolean flag) {
            return flag;
        }
        problem(field, value, "true or false");
        return false;
    }

    private void problem(String field, @Nullable Object value, String expected) {
        problems.add(FieldProblem.of(field, value, expected));
    }
}
