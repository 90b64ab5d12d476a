package io.drover.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.ConfigSource;
import io.drover.server.ProxyServer;
import io.drover.testing.Drover;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The sidecar that has Drover read a changed ConfigMap, whose directory changes here as the kubelet changes it. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "the sidecar is for Linux containers; other systems lack timeout")
class ReloadSidecarTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path directory;

    private Path mounted(String version, String text) throws IOException {
        Path conf = Files.createDirectories(directory.resolve("conf"));
        Files.writeString(Files.createDirectory(conf.resolve(version)).resolve("drover.conf"), text);
        Path link = Files.createSymbolicLink(conf.resolve("..data_tmp"), Path.of(version));
        Files.move(link, conf.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        Path file = conf.resolve("drover.conf");
        if (!Files.exists(file)) {
            Files.createSymbolicLink(file, Path.of("..data", "drover.conf"));
        }
        return file;
    }

    private static List<String> names(ProxyServer server) {
        return server.cluster().backends().stream().map(each -> each.name()).toList();
    }

    @Test
    void whatChangesIsReadAndWhatIsWrongIsTold() throws Exception {
        Path file = mounted("..1", "drover.backends = [{ url = \"http://127.0.0.1:1\", name = a }]");
        Map<String, String> keys = Map.of("listen", "127.0.0.1:0", "admin.listen", "127.0.0.1:0", "transport", "nio");
        try (ProxyServer server = ProxyServer.start(new ConfigSource(Optional.of(file), Map.of(), List.of(), keys));
                Script sidecar = Script.start(
                        directory,
                        "reload",
                        Map.of(
                                "CONFIG_DIRECTORY", directory.resolve("conf").toString(),
                                "ADMIN_PORT",
                                        Integer.toString(server.adminAddress().getPort()),
                                "RELOAD_SECONDS", "0.05"))) {
            sidecar.awaitOutput("reload: watching");

            mounted("..2", "drover.backends = [{ url = \"http://127.0.0.1:1\", name = b }]");
            Drover.await("reloaded", () -> names(server).equals(List.of("b")));
            sidecar.awaitOutput("\"added\":[\"b\"]");

            mounted("..3", "drover.backend = []");
            sidecar.awaitOutput("422");
            assertThat(sidecar.output()).contains("drover.backend");
            assertThat(names(server)).containsExactly("b");

            sidecar.terminate();
            assertThat(sidecar.await()).isZero();
        }
    }
}
