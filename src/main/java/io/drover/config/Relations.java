package io.drover.config;

import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.config.DroverConfig.BackendConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Checks values that are valid each by itself and impossible together. */
final class Relations {
    /** The rest is for what is being answered: young objects, and what is recorded. */
    private static final int CACHE_PERCENT = 60;

    private final Section drover;
    private final DroverConfig config;
    private final long heap;

    /** @param heap most bytes that the JVM's heap may have */
    Relations(Section drover, DroverConfig config, long heap) {
        this.drover = drover;
        this.config = config;
        this.heap = heap;
    }

    void check() {
        DroverConfig.Buffers buffers = config.buffers();
        if (buffers.streamLow() >= buffers.streamHigh()) {
            report("buffers.stream-low", "less than", buffers.streamLow(), "buffers.stream-high", buffers.streamHigh());
        }
        if (buffers.streamHigh() > buffers.outbound()) {
            report("buffers.stream-high", "at most", buffers.streamHigh(), "buffers.outbound", buffers.outbound());
        }
        long body = config.limits().requestBody();
        if (body > buffers.retainedBodies()) {
            // A larger body could never be kept, so that each would get 503.
            report("limits.request-body", "at most", body, "buffers.retained-bodies", buffers.retainedBodies());
        }
        checkCache();
        checkListeners();
        checkTls();
        checkKeys();
        checkShared();
        new AuthRelations(drover, config).check();
        checkLogs();
        checkAdmin();
        if (config.proxyProtocol() && config.limits().trustedProxies().isEmpty()) {
            drover.warning("proxy-protocol", "limits.trusted-proxies set: nobody's PROXY header is believed otherwise");
        }
    }

    private void checkCache() {
        CacheConfig cache = config.cache();
        if (cache.maxEntry() > cache.memory()) {
            report("cache.max-entry", "at most", cache.maxEntry(), "cache.memory", cache.memory());
        }
        if (cache.maxEntry() > cache.recording()) {
            report("cache.max-entry", "at most", cache.maxEntry(), "cache.recording", cache.recording());
        }
        if (cache.semantic().isOn() && !cache.enabled()) {
            drover.warning("cache.semantic.model", "nothing, since drover.cache.enabled is false");
        }
        if (cache.enabled() && config.health().active().interval().isZero()) {
            drover.warning(
                    "health.active.interval",
                    "more than 0s, since otherwise drover.cache does not learn which models there are, and keeps nothing");
        }
        checkNames(cache);
        long share = heap / 100 * CACHE_PERCENT;
        if (cache.enabled() && cache.memory() > share && !drover.isWrong("cache.memory")) {
            drover.problem(
                    "cache.memory",
                    "at most " + Quantities.text(share >> 20 << 20) + ", " + CACHE_PERCENT + "% of the JVM's heap;"
                            + " java -Xmx" + ceilMebibytes(cache.memory() * 2) + "m has room for it");
        }
        if (config.redis().uri().isEmpty() && !drover.isWrong("redis.uri")) {
            String useless = ", since drover.redis.uri is not set";
            if (!cache.lease().isZero()) {
                drover.warning("cache.lease", "0s" + useless);
            }
            if (cache.encryptionKeyFile().isPresent()) {
                drover.warning("cache.encryption-key-file", "nothing" + useless);
            }
        }
    }

    /** Without names all callers are one. */
    private void checkNames(CacheConfig cache) {
        if (!cache.enabled() || !config.auth().mode().equals(List.of(AuthMode.NONE))) {
            return;
        }
        String useless = ", since drover.auth.mode is none";
        if (cache.perTenant()) {
            drover.warning("cache.per-tenant", "false" + useless);
        }
        if (!cache.excludeKeys().isEmpty()) {
            drover.warning("cache.exclude.keys", "nothing" + useless);
        }
    }

    private static long ceilMebibytes(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }

    private void checkShared() {
        DroverConfig.Limits limits = config.limits();
        if (!limits.shared()) {
            return;
        }
        if (config.redis().uri().isEmpty() && !drover.isWrong("redis.uri")) {
            drover.problem("limits.shared", "false, since drover.redis.uri is not set");
        }
        if (limits.budgetsFile().isPresent()) {
            drover.warning("limits.budgets-file", "nothing: with drover.limits.shared budgets are kept in Redis");
        }
    }

    private void checkLogs() {
        DroverConfig.AccessLog access = config.accessLog();
        DroverConfig.AuditLog audit = config.auditLog();
        boolean shared = access.file()
                .filter(file -> file.toAbsolutePath()
                        .normalize()
                        .equals(audit.file().toAbsolutePath().normalize()))
                .isPresent();
        if (access.enabled() && audit.enabled() && shared) {
            drover.problem(
                    drover.isDefault("audit-log.file") ? "access-log.file" : "audit-log.file",
                    "another file than that of the " + (drover.isDefault("audit-log.file") ? "audit" : "access")
                            + " log");
        }
    }

    private void checkAdmin() {
        DroverConfig.Admin admin = config.admin();
        if (drover.isWrong("admin.token-hash")) {
            return;
        }
        if (admin.tokenHash().isPresent()) {
            if (admin.tokenHash().equals(admin.scrapeTokenHash())) {
                drover.problem("admin.scrape-token-hash", "another hash than drover.admin.token-hash");
            }
            return;
        }
        if (admin.scrapeTokenHash().isPresent()) {
            drover.problem(
                    "admin.scrape-token-hash",
                    "drover.admin.token-hash too, since all but the metrics would be open to everybody");
        }
        if (!admin.listen().getAddress().isLoopbackAddress()) {
            drover.problem(
                    "admin.listen",
                    "a loopback address, or drover.admin.token-hash set: drover key --name admin prints a token, and its"
                            + " sha256:... on the second line");
        }
    }

    private void checkTls() {
        if (drover.isWrong("tls.certificate") || drover.isWrong("tls.key")) {
            return;
        }
        Optional<PemCertificates> certificate = config.tls().certificate();
        Optional<PemKey> key = config.tls().key();
        if (certificate.isPresent() && key.isPresent()) {
            if (!key.get().belongsTo(certificate.get().leaf())) {
                drover.problem("tls.key", "the key of the first certificate in drover.tls.certificate");
            } else if (certificate.get().leaf().getNotAfter().toInstant().isBefore(Instant.now())) {
                drover.warning(
                        "tls.certificate",
                        "a certificate of now; this one expired at "
                                + certificate.get().leaf().getNotAfter().toInstant());
            }
        } else if (certificate.isPresent() || key.isPresent()) {
            boolean keyMissing = key.isEmpty();
            drover.problem(
                    keyMissing ? "tls.certificate" : "tls.key",
                    "drover." + (keyMissing ? "tls.key" : "tls.certificate") + " beside it");
        }
    }

    /** Blames the key that the user set, and the smaller value if both. */
    private void report(String small, String relation, long smallSize, String large, long largeSize) {
        if (drover.isWrong(small) || drover.isWrong(large)) {
            return;
        }
        if (drover.isDefault(small)) {
            String inverse = relation.equals("at most") ? "at least" : "more than";
            drover.problem(large, inverse + " drover." + small + ", " + Quantities.text(smallSize));
        } else {
            drover.problem(small, relation + " drover." + large + ", " + Quantities.text(largeSize));
        }
    }

    private void checkListeners() {
        List<InetSocketAddress> listen = config.listen();
        if (listen.isEmpty() && !drover.isWrong("listen")) {
            drover.problem("listen", "at least one host:port");
        }
        for (int i = 0; i < listen.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (collide(listen.get(i), listen.get(j))) {
                    drover.problem("listen", "addresses that differ");
                }
            }
            InetSocketAddress admin = config.admin().listen();
            if (collide(listen.get(i), admin)) {
                String path = drover.isDefault("admin.listen") ? "listen" : "admin.listen";
                drover.problem(
                        path, "another address than " + Addresses.text(path.equals("listen") ? admin : listen.get(i)));
            }
            for (BackendConfig backend : config.backends()) {
                if (reaches(backend, listen.get(i))) {
                    drover.problem("listen", "another address than that of backend " + backend.name());
                }
            }
        }
    }

    /** Whoever sets a key's source believes that keys are asked for: without the mode anybody could come in. */
    private void checkKeys() {
        Auth auth = config.auth();
        if (drover.isWrong("auth.mode")) {
            return;
        }
        if (auth.mode().isEmpty()
                || (auth.mode().contains(AuthMode.NONE) && auth.mode().size() > 1)) {
            drover.problem("auth.mode", "none alone, or those that are accepted");
            return;
        }
        boolean asked = auth.mode().contains(AuthMode.API_KEY);
        boolean given = auth.keysFile().isPresent() || auth.keysInRedis();
        if (asked && !given && !drover.isWrong("auth.keys-file") && !drover.isWrong("auth.keys-in-redis")) {
            drover.problem("auth.mode", "drover.auth.keys-file or drover.auth.keys-in-redis beside api-key");
        }
        String useless = ", since drover.auth.mode lacks api-key";
        if (!asked && auth.keysFile().isPresent()) {
            drover.problem("auth.keys-file", "nothing" + useless);
        }
        if (!asked && auth.keysInRedis()) {
            drover.problem("auth.keys-in-redis", "false" + useless);
        }
        if (asked && auth.keysInRedis() && config.redis().uri().isEmpty() && !drover.isWrong("redis.uri")) {
            drover.problem("auth.keys-in-redis", "false, since drover.redis.uri is not set");
        }
    }

    private static boolean collide(InetSocketAddress one, InetSocketAddress other) {
        InetAddress oneHost = one.getAddress();
        InetAddress otherHost = other.getAddress();
        return one.getPort() != 0
                && one.getPort() == other.getPort()
                && (oneHost.equals(otherHost) || oneHost.isAnyLocalAddress() || otherHost.isAnyLocalAddress());
    }

    /** Whether Drover would be its own backend; only for hosts that can be compared without a look-up. */
    private static boolean reaches(BackendConfig backend, InetSocketAddress listen) {
        if (backend.port() != listen.getPort()) {
            return false;
        }
        String host = backend.url().getHost();
        String plain = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        if (plain.equals(listen.getHostString())) {
            return true;
        }
        boolean loopback = plain.equals("localhost") || plain.startsWith("127.") || plain.equals("::1");
        InetAddress address = listen.getAddress();
        return loopback && (address.isAnyLocalAddress() || address.isLoopbackAddress());
    }
}
