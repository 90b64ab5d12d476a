package io.drover.admission;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
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

    /** Of what keys have in common. Where each has, say, an owner of its own, keeping these does not help. */
    private static final int MOST_SHARED = 10_000;

    /** With it editors of Windows begin a file; it is no part of the text. */
    private static final String BYTE_ORDER_MARK = "\ufeff";

    /** What a decoder puts for bytes that are no UTF-8. */
    private static final char REPLACEMENT = '\ufffd';

    private final IntFunction<String> place;
    private final ApiKeys last;
    private final List<KeyLine> keys = new ArrayList<>();
    private final KeyIndex names = new KeyIndex(keys, KeyLine::name);
    private final KeyIndex hashes = new KeyIndex(keys, KeyLine::hash);
    private int[] numbers = new int[16];
    private final List<String> problems = new ArrayList<>();
    private int untold;

    private final Map<Object, Object> shared = new HashMap<>();

    /**
     * @param place how problems name the line of a number
     * @param last what was there before: a line that still says the same is not kept a second time
     */
    KeyLines(IntFunction<String> place, ApiKeys last) {
        this.place = place;
        this.last = last;
    }

    /** Reads lines to their end, numbered from 1; empty ones and those that begin with {@code #} are comments. */
    void addAll(BufferedReader lines) throws IOException {
        int number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            number++;
            String text = number == 1 && line.startsWith(BYTE_ORDER_MARK) ? line.substring(1) : line;
            if (text.indexOf(REPLACEMENT) >= 0) {
                problem(number, new FieldProblem("", "no UTF-8", "text in UTF-8"));
            } else if (!text.isBlank() && !text.startsWith("#")) {
                add(number, text);
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
        if (!isNew(number, key)) {
            return;
        }
        if (keys.size() == numbers.length) {
            numbers = Arrays.copyOf(numbers, 2 * numbers.length);
        }
        numbers[keys.size()] = number;
        KeyLine same = last.same(key);
        keys.add(same == null ? KeyLine.of(key.hash(), slim(key)) : same);
        names.catchUp();
        hashes.catchUp();
    }

    private boolean isNew(int number, KeyLine key) {
        int sameName = names.find(key);
        int sameHash = hashes.find(key);
        if (sameName >= 0) {
            problem(number, FieldProblem.of("name", key.name(), otherThan(numbers[sameName], "a name")));
        }
        if (sameHash >= 0) {
            problem(number, new FieldProblem("hash", "(hidden)", otherThan(numbers[sameHash], "a hash")));
        }
        return sameName < 0 && sameHash < 0;
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
        Object known = shared.get(value);
        if (known == null && shared.size() < MOST_SHARED) {
            shared.put(value, value);
        }
        return known == null ? value : (T) known;
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
