package io.drover.config;

import static io.drover.config.Quantities.text;

import io.drover.config.DroverConfig.ActiveHealth;
import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.BackendTls;
import io.drover.config.DroverConfig.Balance;
import io.drover.config.DroverConfig.MidStream;
import io.drover.config.DroverConfig.PassiveHealth;
import io.drover.config.DroverConfig.Timeouts;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Prints a configuration for people, as it was understood: one line for each group, no secrets. */
public final class ConfigText {
    private final DroverConfig config;
    private final StringBuilder out = new StringBuilder();

    private ConfigText(DroverConfig config) {
        this.config = config;
    }

    /** The text, each line with its end; the same for the same configuration. */
    public static String render(DroverConfig config) {
        return new ConfigText(config).render();
    }

    private String render() {
        line(
                "listen",
                config.listen().stream().map(Addresses::text).collect(Collectors.joining(", "))
                        + (config.proxyProtocol() ? ", with a PROXY header" : ""));
        admin();
        line("tls", config.tls().certificate().map(ConfigText::certificate).orElse("off"));
        backends();
        line("routing", config.routing().modelAware() ? "model-aware" : "any backend for any model");
        health();
        timeouts();
        line(
                "retry",
                "at most " + count(config.retry().attempts(), "try", "tries") + " after the first"
                        + (config.retry().midStream() == MidStream.OFF ? "" : ", within deterministic streams too"));
        limits();
        access();
        auth();
        validation();
        rewrite();
        cache();
        buffers();
        line(
                "cors",
                config.cors().origins().isEmpty()
                        ? "Ollama's own origins"
                        : "Ollama's own origins, "
                                + String.join(", ", config.cors().origins()));
        line(
                "metrics",
                "at most " + count(config.metrics().maxModels(), "model", "models") + " by name, stall after "
                        + text(config.metrics().stallAfter()));
        line("redis", config.redis().uri().isPresent() ? "set, URI hidden" : "none");
        accessLog();
        auditLog();
        line(
                "process",
                count(config.eventLoops(), "event loop", "event loops")
                        + ", transport " + config.transport().name().toLowerCase(Locale.ROOT)
                        + ", drain delay " + text(config.drainDelay())
                        + ", drain timeout " + text(config.drainTimeout()));
        return out.toString();
    }

    private void admin() {
        DroverConfig.Admin admin = config.admin();
        String token = admin.tokenHash().isEmpty() ? "" : ", with a token";
        line(
                "admin",
                Addresses.text(admin.listen())
                        + (admin.hosts().isEmpty() ? "" : ", as " + String.join(", ", admin.hosts()))
                        + token
                        + (admin.scrapeTokenHash().isEmpty() ? "" : " and another for the metrics"));
    }

    private void backends() {
        List<BackendConfig> backends = config.backends();
        line("backends", backends.size() + ", " + word(config.balance()));
        int widest = backends.stream()
                .mapToInt(backend -> backend.name().length())
                .max()
                .orElse(0);
        for (BackendConfig backend : backends) {
            out.append("  ")
                    .append(backend.name())
                    .append(" ".repeat(widest - backend.name().length() + 2));
            out.append(backend.url()).append(", weight ").append(backend.weight());
            out.append(backend.backup() ? ", backup" : "");
            out.append(backend.host().equals(backend.url().getRawAuthority()) ? "" : ", host " + backend.host());
            out.append(backend.forwardedHeaders() ? "" : ", no forwarded headers");
            out.append(backend.authorization().isPresent() ? ", authorization set" : "");
            out.append(backend.isTls() ? trust(backend.tls()) : "");
            out.append('\n');
        }
        config.discovery()
                .dns()
                .ifPresent(name -> line(
                        "discovery", name + ", every " + text(config.discovery().interval())));
    }

    private static String certificate(PemCertificates certificate) {
        X509Certificate leaf = certificate.leaf();
        return leaf.getSubjectX500Principal() + ", until " + leaf.getNotAfter().toInstant();
    }

    private static String trust(BackendTls tls) {
        if (!tls.verify()) {
            return ", not verified";
        }
        return (tls.name().isEmpty() ? "" : ", as " + tls.name())
                + tls.caFile().map(file -> ", vouched for by " + file).orElse("");
    }

    private void health() {
        ActiveHealth active = config.health().active();
        PassiveHealth passive = config.health().passive();
        String probes = active.interval().isZero()
                ? "no probes"
                : "probe every " + text(active.interval()) + ", timeout " + text(active.timeout()) + ", up after "
                        + active.rise() + ", down after " + active.fall();
        String ejection = passive.failures() == 0
                ? "no ejection"
                : "ejected for " + text(passive.eject()) + " to " + text(passive.maxEject()) + " after "
                        + count(passive.failures(), "failure", "failures") + ", up to " + passive.maxShare()
                        + "% at once";
        line("health", probes + "; " + ejection);
        DroverConfig.DegradedHealth degraded = config.health().degraded();
        Duration wedgedAfter = config.health().wedgedAfter();
        line(
                "",
                (degraded.requests() == 0
                                ? "never degraded"
                                : "degraded after " + count(degraded.requests(), "answer", "answers") + " below "
                                        + degraded.share() + "% of the usual speed, or above " + degraded.unfinished()
                                        + "% unfinished")
                        + (wedgedAfter.isZero() ? "; never wedged" : "; wedged after " + text(wedgedAfter)));
        Duration slowStart = config.health().slowStart();
        line("slow start", slowStart.isZero() ? "none" : text(slowStart));
    }

    private void timeouts() {
        Timeouts timeouts = config.timeouts();
        line(
                "timeouts",
                part("connect", timeouts.connect())
                        + part(", request head", timeouts.requestHead())
                        + part(", request body", timeouts.requestBody())
                        + part(", first byte", timeouts.firstByte())
                        + part(", idle", timeouts.idle()));
        line(
                "",
                part("client write", timeouts.clientWrite())
                        + part(", upstream write", timeouts.upstreamWrite())
                        + part(", keep-alive", timeouts.keepAlive())
                        + part(", lingering close", timeouts.lingeringClose()));
        line(
                "upstream",
                part("idle connections closed after", config.upstream().idleTimeout())
                        + ", at most " + config.upstream().maxIdle() + " kept and "
                        + config.upstream().maxConnecting() + " connecting");
    }

    private void limits() {
        DroverConfig.Limits limits = config.limits();
        line(
                "limits",
                part("request head", limits.requestHead()) + " and " + limits.headers() + " fields"
                        + part(", request body", limits.requestBody()) + ", "
                        + count(limits.connections(), "connection", "connections"));
        if (limits.requests().isEmpty() && limits.tokens().isEmpty()) {
            line("", "requests of a client not limited");
        }
        limits.requests().forEach(limit -> line("", rate(limit, "requests")));
        limits.tokens().forEach(limit -> line("", rate(limit, "tokens")));
        limits.budgets().forEach(budget -> line("", budget(budget)));
        if (limits.shared()) {
            line("", "shared with other replicas, each at most " + text(limits.lease()) + " ahead of Redis");
        }
        perClient(limits);
        line(
                "",
                limits.trustedProxies().isEmpty()
                        ? "no trusted proxies"
                        : "trusted proxies " + networks(limits.trustedProxies()));
    }

    private static String rate(DroverConfig.RateLimit limit, String unit) {
        return limit.name() + ": " + limit.rate() + " " + unit + " by " + limit.key() + " and " + limit.burst()
                + " at once"
                + (limit.delay().isZero() ? "" : ", delayed up to " + text(limit.delay()))
                + scope(limit.paths(), limit.models(), limit.keys());
    }

    private static String budget(DroverConfig.Budget budget) {
        List<String> amounts = new ArrayList<>();
        if (budget.tokens() > 0) {
            amounts.add(budget.tokens() + " tokens");
        }
        if (!budget.gpuTime().isZero()) {
            amounts.add(text(budget.gpuTime()) + " of GPUs");
        }
        return budget.name() + ": " + String.join(" and ", amounts) + " a "
                + budget.per().name().toLowerCase(Locale.ROOT) + " by " + budget.key()
                + scope(budget.paths(), budget.models(), budget.keys());
    }

    private static String scope(List<String> paths, List<String> models, List<String> keys) {
        return (paths.isEmpty() ? "" : ", of " + String.join(", ", paths))
                + (models.isEmpty() ? "" : ", for " + String.join(", ", models))
                + (keys.isEmpty() ? "" : ", with " + String.join(", ", keys));
    }

    private void perClient(DroverConfig.Limits limits) {
        if (limits.connectionsPerClient() > 0 || limits.inFlightPerClient() > 0) {
            line(
                    "",
                    "a client: " + atMost(limits.connectionsPerClient()) + " connections and "
                            + atMost(limits.inFlightPerClient()) + " requests at once");
        }
    }

    private static String atMost(int number) {
        return number == 0 ? "any number of" : "at most " + number;
    }

    private void access() {
        DroverConfig.Access access = config.access();
        String allowed = access.allow().isEmpty() ? "any address" : networks(access.allow());
        line("access", allowed + (access.deny().isEmpty() ? "" : ", never " + networks(access.deny())));
    }

    private static String networks(List<Cidr> networks) {
        return networks.stream().map(Addresses::text).collect(Collectors.joining(", "));
    }

    private void auth() {
        Auth auth = config.auth();
        List<String> ways = new ArrayList<>();
        if (auth.mode().contains(AuthMode.API_KEY)) {
            ways.add(keys(auth));
        }
        if (auth.mode().contains(AuthMode.JWT)) {
            ways.add(tokens(auth.jwt()));
        }
        if (auth.mode().contains(AuthMode.BASIC)) {
            auth.usersFile()
                    .ifPresent(file -> ways.add("users of " + file + ", looked at every " + text(auth.refresh())));
        }
        line("auth", ways.isEmpty() ? "none, anybody may ask" : ways.get(0));
        ways.stream().skip(1).forEach(way -> line("", way));
    }

    private static String keys(Auth auth) {
        List<String> sources = new ArrayList<>();
        auth.keysFile().ifPresent(file -> sources.add(file.toString()));
        if (auth.keysInRedis()) {
            sources.add("Redis");
        }
        return "API keys of " + String.join(" and ", sources) + ", looked at every " + text(auth.refresh())
                + (auth.pathPrefix().isEmpty() ? "" : ", in a path behind " + auth.pathPrefix());
    }

    private static String tokens(DroverConfig.Jwt jwt) {
        return "tokens by keys of "
                + jwt.jwksUri()
                        .map(Object::toString)
                        .or(() -> jwt.jwksFile().map(Path::toString))
                        .orElse("")
                + ", " + String.join(" or ", jwt.algorithms())
                + (jwt.issuer().isEmpty() ? ", any issuer" : ", issuer " + jwt.issuer())
                + (jwt.audience().isEmpty() ? ", any audience" : ", audience " + jwt.audience());
    }

    private void validation() {
        DroverConfig.Validation validation = config.validation();
        List<String> rules = new ArrayList<>();
        if (validation.fields()) {
            rules.add("types of fields");
        }
        bound(rules, "num_ctx", validation.maxNumCtx());
        bound(rules, "num_predict", validation.maxNumPredict());
        bound(rules, "images", validation.maxImages());
        bound(rules, "messages", validation.maxMessages());
        if (!validation.models().isEmpty()) {
            rules.add("models " + String.join(", ", validation.models()));
        }
        line("validation", rules.isEmpty() ? "none" : String.join("; ", rules));
    }

    private static void bound(List<String> rules, String name, int most) {
        if (most > 0) {
            rules.add(name + " at most " + most);
        }
    }

    private void rewrite() {
        DroverConfig.Rewrite rewrite = config.rewrite();
        List<String> rules = new ArrayList<>();
        if (rewrite.stripNumCtx()) {
            rules.add("num_ctx taken out");
        } else {
            bound(rules, "num_ctx", rewrite.numCtx());
        }
        if (!rewrite.keepAlive().isEmpty()) {
            rules.add("keep_alive " + rewrite.keepAlive());
        }
        line("rewrite", rules.isEmpty() ? "nothing" : String.join("; ", rules));
    }

    private void cache() {
        CacheConfig cache = config.cache();
        if (!cache.enabled()) {
            line("cache", "off");
            return;
        }
        boolean redis = config.redis().uri().isPresent();
        line(
                "cache",
                (cache.when() == CacheConfig.When.ALWAYS ? "every answer" : "deterministic answers")
                        + part(", fresh for", cache.ttl())
                        + (cache.serveStale().isZero() ? ", never stale" : part(", stale for", cache.serveStale()))
                        + (cache.coalesce() ? ", coalesced" : ", not coalesced")
                        + (cache.perTenant() ? ", each caller's own" : ", shared by all callers"));
        line(
                "",
                part("memory", cache.memory())
                        + part(", an answer up to", cache.maxEntry())
                        + part(", a request up to", cache.maxRequest())
                        + part(", recording", cache.recording()));
        if (!cache.excludeModels().isEmpty() || !cache.excludeKeys().isEmpty()) {
            line(
                    "",
                    "not"
                            + scope(List.of(), cache.excludeModels(), cache.excludeKeys())
                                    .substring(1));
        }
        line("", redis ? cacheInRedis(cache) : "in this process only");
        CacheConfig.Semantic semantic = cache.semantic();
        if (semantic.isOn()) {
            line(
                    "",
                    "similar prompts from " + semantic.threshold() + " by " + semantic.model() + ", of "
                            + count(semantic.entries(), "vector", "vectors") + part(", within", semantic.timeout()));
        }
    }

    private static String cacheInRedis(CacheConfig cache) {
        return (cache.encryptionKeyFile().isPresent() ? "encrypted in Redis" : "in Redis, not encrypted")
                + part(", asked for", cache.lookupBudget())
                + part(", writing", cache.writing())
                + (cache.lease().isZero() ? "" : part(", another replica's answer awaited for", cache.lease()));
    }

    private void buffers() {
        DroverConfig.Buffers buffers = config.buffers();
        line(
                "buffers",
                part("retained bodies", buffers.retainedBodies())
                        + part(", outbound", buffers.outbound())
                        + part(", stream", buffers.streamHigh())
                        + part(" down to", buffers.streamLow())
                        + part(", hold back", buffers.holdBack()));
    }

    private void accessLog() {
        DroverConfig.AccessLog log = config.accessLog();
        line(
                "access log",
                log.enabled()
                        ? log.file().map(Path::toString).orElse("standard output") + ", queue " + log.queue()
                        : "off");
    }

    private void auditLog() {
        DroverConfig.AuditLog log = config.auditLog();
        line(
                "audit log",
                log.enabled()
                        ? log.file() + ", queue " + log.queue() + part(", put aside at", log.maxSize()) + ", "
                                + log.keep() + " kept"
                                + (log.prompts() ? prompts(log) : ", no prompts")
                        : "off");
    }

    private static String prompts(DroverConfig.AuditLog log) {
        return part(", prompts up to", log.maxPrompt()) + part(", waiting up to", log.maxWaiting());
    }

    private void line(String name, String text) {
        out.append(String.format(Locale.ROOT, "%-12s", name)).append(text).append('\n');
    }

    private static String part(String name, Duration duration) {
        return name + " " + text(duration);
    }

    private static String part(String name, long bytes) {
        return name + " " + text(bytes);
    }

    private static String count(int number, String one, String many) {
        return number + " " + (number == 1 ? one : many);
    }

    private static String word(Balance balance) {
        return balance.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
