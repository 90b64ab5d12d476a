package io.drover.config;

import io.drover.config.DroverConfig.Access;
import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.config.DroverConfig.Budget;
import io.drover.config.DroverConfig.Jwt;
import io.drover.config.DroverConfig.Limits;
import io.drover.config.DroverConfig.Period;
import io.drover.config.DroverConfig.RateLimit;
import io.drover.config.DroverConfig.Rewrite;
import io.drover.config.DroverConfig.Validation;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads who may ask, how much, and for what. */
final class AdmissionRecords {
    private static final Kind<Long> SIZE = Quantities.size(1, 1L << 40);
    /** Less would refuse common browsers; a head is parsed in one piece. */
    private static final Kind<Long> HEAD_SIZE = Quantities.size(1 << 10, 1 << 20);

    private static final int MOST_REQUESTS = 1_000_000;
    private static final int MOST_TOKENS = 1_000_000_000;

    private static final Kind<LimitKey> LIMIT_KEY = value -> LimitKey.parse(Kind.scalar(value, LimitKey.EXPECTED))
            .orElseThrow(() -> new WrongValueException(LimitKey.EXPECTED));

    private static final Kind<Period> PERIOD = Kind.word(List.of("day", "month"), List.of(Period.values()), List.of());

    private static final Kind<AuthMode> AUTH_MODE =
            Kind.word(List.of("none", "api-key", "jwt", "basic"), List.of(AuthMode.values()), List.of());

    /** The path of a route, or the start of paths and a star. */
    private static final Kind<String> PATH = Kind.text(
            "a path such as /api/chat or /v1/*",
            Pattern.compile("/[^*\\s]*\\*?").asMatchPredicate());

    private static final Kind<String> PATH_PREFIX = Kind.text(
            "a path such as /key/, or nothing",
            Pattern.compile("|/([A-Za-z0-9._~-]+/)+").asMatchPredicate());

    static final Kind<String> GLOB = Kind.text(
            "a name, in which each * stands for any text",
            Pattern.compile("\\S+").asMatchPredicate());

    /** Signatures by a private key that the JDK can verify: with a shared secret whoever verifies could sign too. */
    private static final Kind<String> ALGORITHM =
            Kind.word("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512");

    /** Keys that came over an open line would be anybody's. */
    private static final Kind<Optional<URI>> JWKS_URI = value -> {
        String expected = "https://host/path, or http:// to loopback";
        String text = Kind.scalar(value, expected).trim();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            URI uri = new URI(text);
            boolean safe = "https".equals(uri.getScheme())
                    || ("http".equals(uri.getScheme()) && Addresses.isLoopback(uri.getHost()));
            if (!safe || uri.getHost() == null || uri.getRawUserInfo() != null) {
                throw new WrongValueException(expected);
            }
            return Optional.of(uri);
        } catch (URISyntaxException malformed) {
            throw new WrongValueException(expected);
        }
    };

    /** What Ollama takes: a duration of Go's, or whole seconds, negative for ever. */
    private static final Kind<String> KEEP_ALIVE = Kind.text(
            "a duration such as 30m, -1 for ever, or nothing",
            Pattern.compile("|-?[0-9]{1,9}|([0-9]{1,9}(\\.[0-9]{1,9})?(ns|us|ms|s|m|h))+")
                    .asMatchPredicate());

    private final Section drover;

    AdmissionRecords(Section drover) {
        this.drover = drover;
    }

    Limits limits() {
        int connections = number("limits.connections", 0, Integer.MAX_VALUE);
        return new Limits(
                drover.get("limits.request-head", HEAD_SIZE).intValue(),
                number("limits.headers", 1, 10_000),
                drover.get("limits.request-body", SIZE),
                connections == 0 ? FileLimit.connections() : connections,
                number("limits.connections-per-client", 0, Integer.MAX_VALUE),
                number("limits.in-flight-per-client", 0, Integer.MAX_VALUE),
                rateLimits("limits.requests", 1, MOST_REQUESTS),
                rateLimits("limits.tokens", 0, MOST_TOKENS),
                number("limits.answer-tokens", 0, MOST_TOKENS),
                budgets(),
                drover.get("limits.budgets-file", Kind.FILE),
                number("limits.max-keys", 1, 10_000_000),
                drover.get("limits.shared", Kind.BOOLEAN),
                drover.get("limits.lease", Quantities.LEASE),
                drover.list("limits.trusted-proxies", Addresses.CIDR));
    }

    /** @param leastBurst 0: a burst of 0 is what the rate gives in its unit of time */
    private List<RateLimit> rateLimits(String path, int leastBurst, int mostBurst) {
        List<RateLimit> limits = new ArrayList<>();
        Names names = new Names(path);
        for (Section each : drover.sections(path)) {
            String name = names.of(each);
            LimitKey key = each.get("key", LIMIT_KEY);
            Optional<Rate> rate = each.get("rate", Quantities.RATE);
            int burst = each.get("burst", Kind.number(leastBurst, mostBurst));
            Duration delay = each.get("delay", Quantities.DURATION);
            List<String> paths = each.list("paths", PATH);
            List<String> models = each.list("models", GLOB);
            List<String> keys = each.list("keys", Kind.NAME);
            rate.ifPresent(speed -> limits.add(
                    new RateLimit(name, key, speed, burst == 0 ? speed.count() : burst, delay, paths, models, keys)));
        }
        return limits;
    }

    private List<Budget> budgets() {
        List<Budget> budgets = new ArrayList<>();
        Names names = new Names("limits.budgets");
        for (Section each : drover.sections("limits.budgets")) {
            Budget budget = new Budget(
                    names.of(each),
                    each.get("key", LIMIT_KEY),
                    each.get("per", PERIOD),
                    each.get("tokens", Quantities.COUNT),
                    each.get("gpu-time", Quantities.DURATION),
                    each.list("paths", PATH),
                    each.list("models", GLOB),
                    each.list("keys", Kind.NAME));
            if (budget.tokens() > 0 || !budget.gpuTime().isZero()) {
                budgets.add(budget);
            }
        }
        return budgets;
    }

    Access access() {
        return new Access(drover.list("access.allow", Addresses.CIDR), drover.list("access.deny", Addresses.CIDR));
    }

    Auth auth() {
        return new Auth(
                drover.list("auth.mode", AUTH_MODE),
                drover.get("auth.keys-file", Kind.FILE),
                drover.get("auth.keys-in-redis", Kind.BOOLEAN),
                drover.get("auth.users-file", Kind.FILE),
                drover.get("auth.refresh", Quantities.POSITIVE_DURATION),
                drover.get("auth.path-prefix", PATH_PREFIX),
                number("auth.cached", 1, 10_000_000),
                new Jwt(
                        drover.get("auth.jwt.jwks-uri", JWKS_URI),
                        drover.get("auth.jwt.jwks-file", Kind.FILE),
                        drover.get("auth.jwt.issuer", Kind.TEXT),
                        drover.get("auth.jwt.audience", Kind.TEXT),
                        drover.list("auth.jwt.algorithms", ALGORITHM),
                        drover.get("auth.jwt.name-claim", Kind.TEXT),
                        drover.get("auth.jwt.limits-claim", Kind.TEXT),
                        drover.get("auth.jwt.leeway", Quantities.DURATION)));
    }

    Validation validation() {
        return new Validation(
                drover.get("validation.fields", Kind.BOOLEAN),
                drover.list("validation.models", GLOB),
                number("validation.max-num-ctx", 0, Integer.MAX_VALUE),
                number("validation.max-num-predict", 0, Integer.MAX_VALUE),
                number("validation.max-images", 0, Integer.MAX_VALUE),
                number("validation.max-messages", 0, Integer.MAX_VALUE));
    }

    Rewrite rewrite() {
        return new Rewrite(
                number("rewrite.num-ctx", 0, Integer.MAX_VALUE),
                drover.get("rewrite.strip-num-ctx", Kind.BOOLEAN),
                drover.get("rewrite.keep-alive", KEEP_ALIVE));
    }

    private int number(String path, int least, int most) {
        return drover.get(path, Kind.number(least, most));
    }

    /** Names of the limits at one path, each a label of its own. */
    private static final class Names {
        private final String first;
        private final Set<String> taken = new HashSet<>();

        Names(String path) {
            this.first = path.substring(path.indexOf('.') + 1);
        }

        String of(Section limit) {
            String given = limit.get("name", Kind.NAME);
            String name = !given.isEmpty() ? given : taken.isEmpty() ? first : first + "-" + (taken.size() + 1);
            if (!taken.add(name)) {
                limit.problem("name", "a name of its own");
            }
            return name;
        }
    }
}
