package io.drover.admission;

import io.drover.config.SecretHash;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntFunction;

/**
 * Lines of keys that are being read, and what is wrong in them. What many keys have in common is kept once. One thread.
 */
final class KeyLines {
    /** Told of each reading; in a file that is something else altogether each line is wrong. */
    private static final int MOST_TOLD = 100;

    private final IntFunction<String> place;
    private final List<KeyLine> keys = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private int untold;

    private final Map<String, Integer> names = new HashMap<>();
    private final Map<SecretHash, Integer> hashes = new HashMap<>();
    private final Map<Object, Object> shared = new HashMap<>();

    /** @param place how problems name the line of a number */
    KeyLines(IntFunction<String> place) {
        this.place = place;
    }

    /** Reads lines to their end, numbered from 1; empty ones and those that begin with {@code #} are comments. */
    void addAll(BufferedReader lines) throws IOException {
        int number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            number++;
            if (!line.isBlank() && !line.startsWith("#")) {
                add(number, line);
            }
        }
    }

    private void add(int number, String line) {
        try {
            add(number, KeyLine.parse(line));
        } catch (FieldsException wrong) {
            wrong.problems().forEach(problem -> problem(number, problem));
        }
    }

    /** Reads the line that is kept under a name. */
    void add(int number, String name, String line) {
        try {
            KeyLine key = KeyLine.parse(line);
            if (key.name().equals(name)) {
                add(number, key);
            } else {
                String expected = "the name it is kept under";
                problem(number, FieldProblem.of("name", key.name(), expected));
            }
        } catch (FieldsException wrong) {
            wrong.problems().forEach(problem -> problem(number, problem));
        }
    }

    private void add(int number, KeyLine key) {
        if (isNew(number, key)) {
            keys.add(KeyLine.of(key.hash(), slim(key)));
        }
    }

    private boolean isNew(int number, KeyLine key) {
        Integer sameName = names.putIfAbsent(key.name(), number);
        Integer sameHash = hashes.putIfAbsent(key.hash(), number);
        if (sameName != null) {
            problem(number, FieldProblem.of("name", key.name(), otherThan(sameName, "a name")));
        }
        if (sameHash != null) {
            problem(number, new FieldProblem("hash", "(hidden)", otherThan(sameHash, "a hash")));
        }
        return sameName == null && sameHash == null;
    }

    private String otherThan(int number, String what) {
        return what + " of its own; " + place.apply(number) + " has this one";
    }

    private void problem(int number, FieldProblem problem) {
        if (problems.size() < MOST_TOLD) {
            problems.add(place.apply(number) + ": " + problem);
        } else {
            untold++;
        }
    }

    private Principal slim(KeyLine key) {
        Principal full = Objects.requireNonNull(key.verdict().principal());
        return new Principal(
                full.name(),
                one(full.owner()),
                one(full.models()),
                one(full.paths()),
                one(full.allowance()),
                one(full.priority()),
                one(full.expires()),
                full.enabled());
    }

    @SuppressWarnings("unchecked") // what is equal has the same class
    private <T> T one(T value) {
        return (T) shared.computeIfAbsent(value, itself -> itself);
    }

    /** Those without mistakes. */
    List<KeyLine> keys() {
        return List.copyOf(keys);
    }

    /** Each with its place, in the order of the lines. */
    List<String> problems() {
        List<String> all = new ArrayList<>(problems);
        if (untold > 0) {
            all.add("and " + untold + " more");
        }
        return all;
    }
}
