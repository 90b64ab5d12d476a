package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.backend.Models;
import io.drover.backend.Slot;
import io.drover.ollama.ModelName;
import io.drover.ollama.RetryClass.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which backends a request with a model may be tried on, and what is said where none is left. */
class AttemptsTest {
    private static final ModelName MODEL = ModelName.of("X");

    private final TestWorker rig = new TestWorker(
            Map.of("retry.attempts", "5"), List.of("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"));
    private final Attempts attempts = new Attempts(rig.worker());

    @AfterEach
    void close() {
        rig.close();
    }

    private Backend backend(int index) {
        return rig.worker().context().cluster().backends().get(index);
    }

    private void list(int index, String... names) {
        Map<String, String> disk = new java.util.HashMap<>();
        for (String name : names) {
            disk.put(ModelName.of(name).key(), "");
        }
        backend(index).onModels(Models.UNKNOWN.withListed(disk));
    }

    private void fall(int index) {
        backend(index).onConnectFailure("connection refused", System.nanoTime());
    }

    /** Tries until there is no backend left; their indices. */
    private List<Integer> all() {
        List<Integer> chosen = new ArrayList<>();
        for (Slot slot = attempts.next(); slot != null; slot = attempts.next()) {
            chosen.add(slot.backend().index());
            slot.release();
        }
        return chosen;
    }

    @Test
    void onlyThoseThatHaveTheModelCount() {
        list(0, "x");
        list(1, "other");
        list(2, "x");
        assertThat(attempts.begin(MODEL)).isTrue();
        assertThat(attempts.left()).isEqualTo(2);
        assertThat(attempts.next()).isNotNull().satisfies(Slot::release);
        assertThat(attempts.left()).isEqualTo(1);
        assertThat(attempts.isAnotherUp()).isTrue();
        assertThat(attempts.isWorthNext(Verdict.MISSING_MODEL)).isTrue();
        attempts.spend();
        assertThat(attempts.begin(MODEL)).isTrue();
        assertThat(attempts.next()).isNotNull().satisfies(Slot::release);
        assertThat(attempts.left()).isZero();
        assertThat(attempts.isAnotherUp()).isFalse();
        assertThat(attempts.isWorthNext(Verdict.MISSING_MODEL)).isFalse();
        assertThat(attempts.status(CallFailure.REFUSED)).isEqualTo(502);
        assertThat(attempts.made()).isEqualTo(2);
    }

    @Test
    void withoutAModelAllCount() {
        list(0, "other");
        assertThat(attempts.begin(null)).isTrue();
        assertThat(attempts.left()).isEqualTo(3);
        assertThat(all()).containsExactlyInAnyOrder(0, 1, 2);
    }

    @Test
    void aModelThatIsNowhereIsTriedOnceItHasBeenFound() {
        for (int i = 0; i < 3; i++) {
            list(i, "other");
        }
        assertThat(attempts.begin(MODEL)).isFalse();
        assertThat(attempts.next()).isNull();
        assertThat(attempts.isModelNowhere()).isTrue();
        list(1, "other", "x");
        assertThat(all()).containsExactly(1);
        assertThat(attempts.isModelNowhere()).isFalse();
    }

    @Test
    void aModelThatIsNowhereIsNotSoughtOnOneThatIsAwayAndWasNeverListed() {
        list(0, "other");
        list(1, "other");
        fall(2);
        assertThat(attempts.begin(MODEL)).isFalse();
        assertThat(attempts.next()).isNull();
        assertThat(attempts.isModelNowhere()).isTrue();
    }

    @Test
    void aNameThatNoModelCanHaveGoesToAnyBackend() {
        for (int i = 0; i < 3; i++) {
            list(i, "other");
        }
        assertThat(attempts.begin(ModelName.of("not a name"))).isTrue();
        assertThat(all()).containsExactlyInAnyOrder(0, 1, 2);
    }

    @Test
    void aBackendThatIsAwayIsTheLastResortAndIsNamed() {
        list(0, "other");
        list(1, "x");
        list(2, "other");
        fall(1);
        assertThat(attempts.begin(MODEL)).isTrue();
        assertThat(all()).containsExactly(1);
        assertThat(attempts.status(CallFailure.REFUSED)).isEqualTo(503);
        assertThat(attempts.told(CallFailure.REFUSED))
                .isEqualTo("no backend with model 'X' is up (connection refused) (backend 127.0.0.1:2, tries: 1)");
    }

    @Test
    void whereAllAreAwayEachMayBeTried() {
        for (int i = 0; i < 3; i++) {
            list(i, "other");
            fall(i);
        }
        assertThat(attempts.begin(MODEL)).isTrue();
        assertThat(all()).containsExactlyInAnyOrder(0, 1, 2);
        assertThat(attempts.told(CallFailure.REFUSED)).isEqualTo("no backend is up (connection refused)");
    }

    @Test
    void aModelOnADrainedBackendIsNotNowhere() {
        list(0, "other");
        list(1, "x");
        list(2, "other");
        backend(1).drain(true, System.nanoTime());
        assertThat(attempts.begin(MODEL)).isTrue();
        assertThat(attempts.next()).isNull();
        assertThat(attempts.isModelNowhere()).isFalse();
        assertThat(attempts.noneLeft()).isEqualTo("no backend with model 'X' left to try");
    }
}
