package io.drover.backend;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TriedTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 63, 64, 65, 127, 128, 199})
    void exactlyWhatWasAddedIsContained(int index) {
        Herd herd = Herd.equal(200);
        Tried tried = new Tried();
        tried.add(herd.get(index));
        tried.add(herd.get(index));
        for (int i = 0; i < 200; i++) {
            assertThat(tried.contains(herd.get(i))).as("b%s", i).isEqualTo(i == index);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 64, 65, 200})
    void allOfAHerdFit(int size) {
        Herd herd = Herd.equal(size);
        Tried tried = new Tried();
        // From the last to the first, so that growing must keep what is there, whichever comes first.
        for (int i = size - 1; i >= 0; i -= 2) {
            tried.add(herd.get(i));
        }
        for (int i = 0; i < size; i++) {
            assertThat(tried.contains(herd.get(i))).isEqualTo((size - 1 - i) % 2 == 0);
        }
        for (int i = 0; i < size; i++) {
            tried.add(herd.get(i));
        }
        for (int i = 0; i < size; i++) {
            assertThat(tried.contains(herd.get(i))).isTrue();
        }
    }
}
