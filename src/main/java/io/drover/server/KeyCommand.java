package io.drover.server;

import io.drover.admission.FieldProblem;
import io.drover.admission.FieldsException;
import io.drover.admission.KeyLine;
import io.drover.config.SecretHash;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes an API key: its secret, which is kept nowhere, and the line that lets whoever has it in. */
@Command(
        name = "key",
        description =
                "Makes an API key: prints its secret, which is kept nowhere, and then the line for auth.keys-file or"
                        + " the Redis hash drover:keys.",
        footer = {
            "",
            "The hash of the line also serves as admin.token-hash or admin.scrape-token-hash; the secret is then the"
                    + " token of the admin port."
        })
final class KeyCommand implements Callable<Integer> {
    private static final String PREFIX = "drover_";
    private static final int SECRET_BYTES = 32;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(names = "--name", required = true, description = "unique; in logs and limits")
    private String name = "";

    @Option(names = "--owner", description = "for people")
    private @Nullable String owner;

    @Option(names = "--model", description = "that may be asked for, such as 'llama3*'; repeatable; default: all")
    private @Nullable List<String> models;

    @Option(names = "--path", description = "that may be asked, such as '/api/*'; repeatable; default: all")
    private @Nullable List<String> paths;

    @Option(names = "--requests", description = "rate of requests, such as 10/s")
    private @Nullable String requests;

    @Option(names = "--requests-burst", description = "requests at once; default: those of the rate")
    private @Nullable Long requestsBurst;

    @Option(names = "--tokens", description = "rate of tokens, such as 100000/h")
    private @Nullable String tokens;

    @Option(names = "--tokens-burst", description = "tokens at once; default: those of the rate")
    private @Nullable Long tokensBurst;

    @Option(names = "--tokens-per-day", description = "budget")
    private @Nullable Long tokensPerDay;

    @Option(names = "--tokens-per-month", description = "budget")
    private @Nullable Long tokensPerMonth;

    @Option(names = "--gpu-time-per-day", description = "budget, such as 2h")
    private @Nullable String gpuTimePerDay;

    @Option(names = "--gpu-time-per-month", description = "budget, such as 40h")
    private @Nullable String gpuTimePerMonth;

    @Option(names = "--in-flight", description = "most requests at once")
    private @Nullable Long inFlight;

    @Option(names = "--priority", description = "class of its requests; has no effect in this version")
    private @Nullable String priority;

    @Option(names = "--expires", description = "such as 2027-01-31, in UTC, or 2027-01-31T12:00:00Z")
    private @Nullable String expires;

    @Override
    public Integer call() {
        String secret = secret();
        String line;
        try {
            line = KeyLine.write(name, hash(secret), fields());
        } catch (FieldsException wrong) {
            throw new ParameterException(
                    spec.commandLine(),
                    wrong.problems().stream().map(KeyCommand::text).collect(Collectors.joining("\n")));
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(secret);
        out.println(line);
        out.flush();
        return 0;
    }

    private Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        put(fields, "owner", owner);
        put(fields, "models", models);
        put(fields, "paths", paths);
        put(fields, "requests", requests);
        put(fields, "requests_burst", requestsBurst);
        put(fields, "tokens", tokens);
        put(fields, "tokens_burst", tokensBurst);
        put(fields, "tokens_per_day", tokensPerDay);
        put(fields, "tokens_per_month", tokensPerMonth);
        put(fields, "gpu_time_per_day", gpuTimePerDay);
        put(fields, "gpu_time_per_month", gpuTimePerMonth);
        put(fields, "in_flight", inFlight);
        put(fields, "priority", priority);
        put(fields, "expires", expires);
        return fields;
    }

    private static void put(Map<String, Object> fields, String field, @Nullable Object value) {
        Optional.ofNullable(value).ifPresent(given -> fields.put(field, given));
    }

    /** With the flag's name for the field's. */
    private static String text(FieldProblem problem) {
        String flag =
                switch (problem.field()) {
                    case "models" -> "--model";
                    case "paths" -> "--path";
                    default -> "--" + problem.field().replace('_', '-');
                };
        return flag + ": " + problem.value() + " (expected: " + problem.expected() + ")";
    }

    private static String secret() {
        byte[] random = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(random);
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    private static SecretHash hash(String secret) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            return SecretHash.of(sha256.digest(secret.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has SHA-256", impossible);
        }
    }
}
