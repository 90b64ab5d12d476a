package io.drover.admission;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What Redis counts, in a world whose time stands still: so nothing comes back by itself, and sums are exact. It answers
 * some at once and others later, on whatever thread comes by; and, if it is shaky, fails before or after it has counted.
 */
final class ModelStore implements LimitStore {
    private final SplittableRandom random = new SplittableRandom(7);
    private final Map<String, Long> missing = new HashMap<>();
    private final Map<String, Long> tokens = new HashMap<>();
    private final Map<String, Long> reports = new HashMap<>();
    private final Queue<Runnable> late = new ArrayDeque<>();
    private boolean shaky;

    @Override
    public CompletionStage<List<Long>> run(String script, String key, List<String> arguments) {
        CompletableFuture<List<Long>> answer = new CompletableFuture<>();
        boolean now;
        Runnable end;
        synchronized (this) {
            int dice = random.nextInt(100);
            now = dice % 2 == 0;
            if (shaky && dice < 3) {
                end = () -> answer.completeExceptionally(new IllegalStateException("away"));
            } else {
                List<Long> counts = count(script, key, arguments);
                boolean lost = shaky && dice < 6;
                end = lost
                        ? () -> answer.completeExceptionally(new IllegalStateException("answer lost"))
                        : () -> answer.complete(counts);
            }
            if (!now) {
                late.add(end);
            }
        }
        if (now) {
            end.run();
        }
        return answer;
    }

    private List<Long> count(String script, String key, List<String> arguments) {
        if (script.equals(Script.REPLICAS)) {
            return List.of(1L);
        }
        if (script.equals(Script.SPEND)) {
            long known = tokens.getOrDefault(key, 0L);
            long report = Long.parseLong(arguments.get(1));
            long last = reports.getOrDefault(key, 0L);
            if (report != last && report != last + 1) {
                throw new AssertionError("report " + report + " behind " + last);
            }
            if (report > last) {
                reports.put(key, report);
                known += Long.parseLong(arguments.get(2));
            }
            tokens.put(key, known);
            return List.of(known, 0L);
        }
        long lacks = missing.getOrDefault(key, 0L);
        if (arguments.get(4).equals("1")) {
            lacks = Math.max(lacks, Long.parseLong(arguments.get(3)));
        }
        lacks = Math.max(0, lacks - Long.parseLong(arguments.get(1))) + Long.parseLong(arguments.get(0));
        missing.put(key, lacks);
        return List.of(lacks, 0L);
    }

    @Override
    public int connections() {
        return 1;
    }

    synchronized void shaky(boolean is) {
        shaky = is;
    }

    /** Gives an answer that is late; whether there was one. */
    boolean answerOne() {
        Runnable next;
        synchronized (this) {
            next = late.poll();
        }
        if (next != null) {
            next.run();
        }
        return next != null;
    }

    /** Microseconds that a bucket lacks. */
    synchronized long missing(String key) {
        return missing.getOrDefault(key, 0L);
    }

    /** Of all accounts. */
    synchronized long tokens() {
        return tokens.values().stream().mapToLong(n -> n).sum();
    }
}
