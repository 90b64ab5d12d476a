package io.drover.bench;

import java.util.Random;
import java.util.concurrent.TimeUnit;

/** What clients ask for, one after the other. */
interface Asking {
    /** So long a prompt that a request can be told from a probe by its size. */
    String PROMPT = "Why is the sky blue? ".repeat(75);

    Ask next();

    /** Streams of much the same length, with short pauses. */
    static Asking steady(long seed) {
        Random random = new Random(seed);
        return () -> new Ask(
                "/api/chat",
                chat(BackendCommand.MODEL, PROMPT, 16 + random.nextInt(17), true),
                200,
                TimeUnit.MILLISECONDS.toNanos(random.nextInt(50)),
                Long.MAX_VALUE);
    }

    /**
     * All that a herd in good health has to bear: long and short answers, whole ones, large prompts, clients that leave,
     * wrong requests, and waves of requests all at once.
     */
    static Asking noisy(long seed) {
        Random random = new Random(seed);
        return () -> {
            int die = random.nextInt(100);
            long pause = die % 3 == 0
                    ? untilNextWave(System.nanoTime())
                    : TimeUnit.MILLISECONDS.toNanos(random.nextInt(1000));
            if (die < 3) {
                return new Ask("/api/chat", chat("nobody-has-this", PROMPT, 1, true), 404, pause, Long.MAX_VALUE);
            }
            if (die < 6) {
                return new Ask("/api/chat", "{\"model\":", 400, pause, Long.MAX_VALUE);
            }
            String prompt = die < 16 ? PROMPT.repeat(100) : PROMPT;
            long hangUp = die < 26 ? TimeUnit.MILLISECONDS.toNanos(random.nextInt(1000)) : Long.MAX_VALUE;
            int tokens = 1 + random.nextInt(random.nextInt(10) == 0 ? 400 : 60);
            return new Ask("/api/chat", chat(BackendCommand.MODEL, prompt, tokens, die < 90), 200, pause, hangUp);
        };
    }

    private static long untilNextWave(long now) {
        long period = TimeUnit.SECONDS.toNanos(4);
        return period - Math.floorMod(now, period);
    }

    private static String chat(String model, String prompt, int tokens, boolean stream) {
        return "{\"model\":\"" + model + "\",\"stream\":" + stream + ",\"options\":{\"num_predict\":" + tokens
                + "},\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}]}";
    }
}
