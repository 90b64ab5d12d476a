package io.drover.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.demo.ReceivedRequest;
import io.drover.demo.SimulatedOllama;
import io.drover.testing.Drover;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The real proxy that asks for a key, with an access log and an audit log, in front of a simulated server and its
 * backup. Closing it checks that the key's secret stands in neither log and has reached neither server.
 */
final class GuardedDoor implements AutoCloseable {
    static final int TOKENS = 48;

    /** User and password that {@code api-key, basic} lets in too. */
    static final String USER = "anna:password";

    private final IssuedKey key;
    private final SimulatedOllama first;
    private final SimulatedOllama second;
    private final Drover drover;
    private final Path audit;

    /** @param modes as {@code auth.mode} */
    GuardedDoor(IssuedKey key, Path directory, String modes) throws IOException {
        this(key, directory, modes, SimulatedOllama.Settings.defaults().withTokens(TOKENS));
    }

    GuardedDoor(IssuedKey key, Path directory, String modes, SimulatedOllama.Settings settings) throws IOException {
        this.key = key;
        audit = directory.resolve("audit.log");
        first = SimulatedOllama.start(settings);
        second = SimulatedOllama.start(settings);
        Drover.Setup setup = Drover.first(first.url(), second.url())
                .set("auth.mode", modes)
                .set("auth.keys-file", key.file().toString())
                .set("audit-log.enabled", "true")
                .set("audit-log.file", audit.toString());
        if (modes.contains("basic")) {
            Path users = Files.writeString(directory.resolve("users"), "anna:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n");
            setup.set("auth.users-file", users.toString());
        }
        drover = setup.start();
    }

    InetSocketAddress address() {
        return drover.address();
    }

    /** Where clients go that send a key. */
    String url() {
        return "http://127.0.0.1:" + address().getPort();
    }

    /** Where clients go that cannot send one. */
    String urlWithKey() {
        return url() + key.pathPrefix();
    }

    /** The server that answers. */
    SimulatedOllama backend() {
        return first;
    }

    /** Requests for a client; Drover asks for models too. */
    boolean hasServed() {
        return first.received().stream()
                .anyMatch(request -> !request.header("X-Forwarded-For").isEmpty());
    }

    @Override
    public void close() throws IOException {
        drover.close();
        first.close();
        second.close();
        // A test that is skipped has asked for nothing.
        String log = Files.readString(drover.accessLog());
        assertThat(log.contains("\"status\"")).isEqualTo(hasServed() || !log.isEmpty());
        assertThat(log).doesNotContain(key.secret());
        assertThat(Files.readString(audit)).doesNotContain(key.secret());
        assertThat(first.received())
                .extracting(ReceivedRequest::toString)
                .noneMatch(text -> text.contains(key.secret()));
    }
}
