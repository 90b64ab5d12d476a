package io.drover.deploy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.drover.testing.Await;
import io.drover.testing.Command;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real Prometheus in a process of its own, on loopback, whose data and configuration lie in a directory of the test's. */
final class Prometheus implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Process process;
    private final URI address;
    private final HttpClient client = HttpClient.newHttpClient();
    private final Thread atExit;

    private Prometheus(Process process, int port) {
        this.process = process;
        this.address = URI.create("http://127.0.0.1:" + port);
        this.atExit = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /** Starts it, or aborts the test if there is none; it answers when this returns. */
    static Prometheus startIfInstalled(Path directory, Path config, int port) {
        Command command = new Command(
                directory,
                List.of(
                        "prometheus",
                        "--config.file=" + config,
                        "--storage.tsdb.path=" + directory.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port,
                        "--log.level=error"));
        Prometheus prometheus = new Prometheus(command.startIfInstalled(), port);
        try {
            Await.until("Prometheus is ready", PATIENCE, prometheus::isReady);
            return prometheus;
        } catch (AssertionError | RuntimeException e) {
            prometheus.close();
            throw e;
        }
    }

    private boolean isReady() {
        if (!process.isAlive()) {
            throw new AssertionError(
                    "Prometheus has ended: " + Command.finish(process, 1).text());
        }
        try {
            return get("/-/ready").statusCode() == 200;
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof ConnectException) {
                return false;
            }
            throw e;
        }
    }

    private HttpResponse<String> get(String path) {
        HttpRequest request =
                HttpRequest.newBuilder(address.resolve(path)).timeout(PATIENCE).build();
        try {
            return client.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** The answer to an expression: its samples as of now, as Prometheus' API has them. */
    List<? extends Config> query(String expression) {
        HttpResponse<String> response =
                get("/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
        if (response.statusCode() != 200) {
            throw new AssertionError(expression + ": " + response.body());
        }
        return ConfigFactory.parseString(response.body()).getConfigList("data.result");
    }

    /** The groups of rules, as Prometheus' API has them. */
    List<? extends Config> ruleGroups() {
        return ConfigFactory.parseString(get("/api/v1/rules").body()).getConfigList("data.groups");
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(atExit);
        process.destroy();
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
