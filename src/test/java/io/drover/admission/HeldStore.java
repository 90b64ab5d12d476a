package io.drover.admission;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A store that answers when the test says so, and what it says. */
final class HeldStore implements LimitStore {
    /** What was asked and is not answered, in its order. */
    final List<Call> calls = new ArrayList<>();

    int connections = 1;

    /** It fails at once. */
    boolean away;

    record Call(String script, String key, List<Long> arguments, CompletableFuture<List<Long>> answer) {}

    @Override
    public CompletionStage<List<Long>> run(String script, String key, List<String> arguments) {
        if (away) {
            return CompletableFuture.failedFuture(new IllegalStateException("away"));
        }
        CompletableFuture<List<Long>> answer = new CompletableFuture<>();
        List<Long> numbers = arguments.stream()
                .filter(argument -> argument.matches("-?[0-9]+"))
                .map(Long::valueOf)
                .toList();
        calls.add(new Call(script, key, numbers, answer));
        return answer;
    }

    @Override
    public int connections() {
        return connections;
    }

    /** What was asked first, which is then no longer waiting. */
    Call next() {
        return calls.remove(0);
    }

    void answer(long... numbers) {
        List<Long> answer = new ArrayList<>();
        for (long number : numbers) {
            answer.add(number);
        }
        next().answer.complete(answer);
    }

    void fail() {
        next().answer.completeExceptionally(new IllegalStateException("away"));
    }
}
