package io.drover.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.HerdModel;
import io.drover.backend.HerdModel.Accord;
import io.drover.demo.SimulatedModel;
import io.drover.demo.SimulatedOllama;
import io.drover.demo.SimulatedOllama.Settings;
import io.drover.ollama.ModelName;
import io.drover.testing.Drover;
import io.drover.testing.RawBackend;
import io.drover.testing.RawClient;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What changes models through Drover is known to it at once: they are listed anew, and in doubt until then. */
class ModelChangeTest {
    private static final String OLD = SimulatedModel.named("m").digest();
    private static final SimulatedModel REVISED = SimulatedModel.named("m").revised("second");

    private SimulatedOllama ollama;
    private Drover drover;

    @BeforeEach
    void start() {
        ollama = SimulatedOllama.start(
                Settings.defaults().withModels("m", "other").withProgressInterval(Duration.ofMillis(20)));
        // After the first look they are listed only if somebody asks.
        drover = Drover.over(ollama.url()).set("health.active.interval", "10m").start();
        Drover.await("it is listed", () -> model("m").accord() == Accord.AGREED);
        assertThat(model("m").digest()).isEqualTo(OLD);
        assertThat(model("m").version()).isEqualTo("0.32.15");
    }

    @AfterEach
    void stop() {
        drover.close();
        ollama.close();
    }

    private HerdModel model(String name) {
        return drover.server().cluster().model(ModelName.of(name).key(), System.nanoTime());
    }

    private void awaitDigest(String name, String digest) {
        Drover.await("the new digest of " + name, () -> model(name).digest().equals(digest));
    }

    private long listings() {
        return ollama.received().stream()
                .filter(request -> request.uri().equals("/api/tags"))
                .count();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPullOfWhatWasPublishedAnew(boolean stream) {
        ollama.publish(REVISED);

        RawClient.Response response =
                drover.exchange("POST", "/api/pull", "{\"model\":\"m\",\"stream\":" + stream + "}");

        assertThat(response.status()).isEqualTo(200);
        assertThat(model("m").digest()).as("whoever has the end of the pull").isNotEqualTo(OLD);
        awaitDigest("m", REVISED.digest());
        assertThat(listings()).isEqualTo(2);
    }

    @Test
    void aPullThatIsOverwritingAndOneThatIsNot() {
        assertThat(drover.exchange("POST", "/api/pull", "{\"model\":\"m\"}").status())
                .isEqualTo(200);
        awaitDigest("m", OLD);
        assertThat(drover.exchange("POST", "/api/pull", "{\"model\":\"new\"}").status())
                .isEqualTo(200);
        awaitDigest("new", SimulatedModel.named("new").digest());
    }

    @Test
    void aCopyOverAnotherModel() {
        String copy = "{\"source\":\"other\",\"destination\":\"m\"}";
        assertThat(drover.exchange("POST", "/api/copy", copy).status()).isEqualTo(200);
        assertThat(model("m").digest()).isNotEqualTo(OLD);
        awaitDigest("m", SimulatedModel.named("other").digest());
    }

    @Test
    void aModelThatWasMade() {
        String create = "{\"model\":\"mine\",\"from\":\"m\"}";
        assertThat(drover.exchange("POST", "/api/create", create).status()).isEqualTo(200);
        awaitDigest("mine", SimulatedModel.named("mine").digest());
    }

    @Test
    void aModelThatWasDeleted() {
        assertThat(drover.exchange("DELETE", "/api/delete", "{\"model\":\"m\"}").status())
                .isEqualTo(200);
        assertThat(model("m").accord()).isEqualTo(Accord.UNKNOWN);
        Drover.await("the others are known", () -> model("other").accord() == Accord.AGREED);
        assertThat(model("m").accord()).isEqualTo(Accord.UNKNOWN);
        assertThat(drover.backend("a").models().lists(ModelName.of("m").key())).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "DELETE | /api/delete | {\"model\":\"nobody-has\"}",
                "POST | /api/copy | {\"source\":\"nobody-has\",\"destination\":\"m\"}",
                "POST | /api/create | {\"model\":\"m\"}",
                "POST | /api/push | {\"model\":\"m\"}",
                "POST | /api/show | {\"model\":\"m\"}",
                "POST | /api/chat | {\"model\":\"m\",\"messages\":[]}",
            })
    void whatChangesNothingIsNoReasonToLook(String method, String path, String body) {
        drover.exchange(method, path, body);
        assertThat(drover.log(1)).hasSize(1);
        assertThat(drover.backend("a").isListed()).isTrue();
        assertThat(model("m").digest()).isEqualTo(OLD);
        assertThat(listings()).isEqualTo(1);
    }

    @Test
    void aPullWhoseClientLeavesMayHaveBeenInTime() {
        try (RawClient client = drover.connect().request("POST", "/api/pull", "{\"model\":\"m\"}")) {
            client.readHead();
        }
        Drover.await("another look", () -> listings() == 2);
        awaitDigest("m", OLD);
    }

    @Test
    void aDeletionWhoseAnswerIsLostMayHaveBeenDone() throws Exception {
        try (RawBackend mute = RawBackend.start(connection -> {
                    while (connection.hasMore()) {
                        switch (connection.readRequest().startLine().split(" ")[1]) {
                            case "/api/version" -> connection.answer("{\"version\":\"1\"}");
                            case "/api/delete" -> {
                                return;
                            }
                            default -> connection.answer("{\"models\":[{\"name\":\"m\",\"digest\":\"1\"}]}");
                        }
                    }
                });
                Drover before = Drover.over(mute.url())
                        .set("health.active.interval", "10m")
                        .start()) {
            Drover.await("it is listed", () -> before.backend("a").isListed());
            assertThat(before.exchange("DELETE", "/api/delete", "{\"model\":\"m\"}")
                            .status())
                    .isEqualTo(502);
            assertThat(before.backend("a").modelChanges()).isEqualTo(1);
            Drover.await("it is listed again", () -> before.backend("a").isListed());
        }
    }
}
