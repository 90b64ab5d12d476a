package io.drover.config;

import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.BackendTls;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the list of backends: each entry is an object, or a URL alone. */
final class Backends {
    private static final String PATH = "backends";

    private final KnownKeys known;
    private final ConfigObject entryDefaults;
    private final Findings findings;
    private final Map<String, String> keyOfName = new HashMap<>();

    Backends(KnownKeys known, ConfigObject entryDefaults, Findings findings) {
        this.known = known;
        this.entryDefaults = entryDefaults;
        this.findings = findings;
    }

    List<BackendConfig> read(Section drover) {
        List<BackendConfig> backends = new ArrayList<>();
        List<ConfigValue> entries = drover.elements(PATH);
        if (entries.isEmpty() && !drover.isWrong(PATH) && drover.isDefault("discovery.dns")) {
            drover.problem(PATH, "at least one backend, or discovery.dns");
        }
        for (int i = 0; i < entries.size(); i++) {
            ConfigValue value = entries.get(i);
            ConfigObject entry =
                    value instanceof ConfigObject object ? object : ConfigValueFactory.fromMap(Map.of("url", value));
            readEntry("drover." + PATH + "[" + i + "]", entry, value).ifPresent(backends::add);
        }
        return backends;
    }

    private Optional<BackendConfig> readEntry(String key, ConfigObject values, ConfigValue written) {
        known.check(key, values, entryDefaults, findings);
        Section entry = new Section(key, KnownKeys.ENTRY, values, entryDefaults, findings);
        int weight = entry.get("weight", Kind.number(1, 1_000_000));
        boolean backup = entry.get("backup", Kind.BOOLEAN);
        boolean forwardedHeaders = entry.get("forwarded-headers", Kind.BOOLEAN);
        String host = entry.get("host", Addresses.HOST);
        String name = entry.get("name", Kind.NAME);
        Optional<String> authorization = entry.secret("authorization", Kind.AUTHORIZATION);
        BackendTls tls = new BackendTls(
                entry.get("tls.verify", Kind.BOOLEAN),
                entry.get("tls.ca-file", Pem.CERTIFICATES),
                entry.get("tls.name", Addresses.TLS_NAME));
        LaterKeys.checkEntry(entry);
        Optional<URI> url = readUrl(key, values, entry, written);
        if (url.isEmpty()) {
            return Optional.empty();
        }
        String authority = url.get().getRawAuthority();
        if (url.get().getScheme().equals("https") && !tls.verify()) {
            entry.warning("tls.verify", "true; with false anybody on the way there can pose as this server");
        }
        BackendConfig backend = new BackendConfig(
                url.get(),
                name.isEmpty() ? hostAndPort(url.get()) : name,
                weight,
                backup,
                host.isEmpty() ? authority : host,
                forwardedHeaders,
                authorization,
                tls);
        if (!entry.isWrong("name")) {
            checkName(key, backend.name(), values.getOrDefault(name.isEmpty() ? "url" : "name", written));
        }
        return Optional.of(backend);
    }

    private Optional<URI> readUrl(String key, ConfigObject values, Section entry, ConfigValue written) {
        if (values.containsKey("url")) {
            return entry.valid("url", Addresses.BACKEND_URL);
        }
        findings.problem(key, written.origin(), "no url", "url = \"http://host:port\"");
        return Optional.empty();
    }

    private void checkName(String key, String name, ConfigValue at) {
        String other = keyOfName.putIfAbsent(name, key);
        if (other != null) {
            findings.problem(
                    key + ".name", at.origin(), "\"" + name + "\"", "a name of its own; " + other + " has this one");
        }
    }

    private static String hostAndPort(URI url) {
        String port = url.getScheme().equals("https") ? ":443" : ":80";
        return url.getPort() < 0 ? url.getRawAuthority() + port : url.getRawAuthority();
    }
}
