package io.drover.bench;

import java.util.function.Supplier;

/** Requests whose answers may be kept, as {@code bench/wrk/prompts.lua} makes them: a series of prompts, over and again. */
final class Prompts implements Supplier<byte[]> {
    private final String series;
    private final int count;
    private int next;

    /** @param count different ones */
    Prompts(String series, int count) {
        this.series = series;
        this.count = count;
    }

    @Override
    public byte[] get() {
        String number = String.valueOf(1_000_000 + next).substring(1);
        next = (next + 1) % count;
        return HttpText.request(
                "POST",
                "/api/generate",
                "{\"model\":\"bench\",\"stream\":false,\"options\":{\"temperature\":0},\"prompt\":\"Why is the sky"
                        + " blue? "
                        + series + "/" + number + "\"}");
    }
}
