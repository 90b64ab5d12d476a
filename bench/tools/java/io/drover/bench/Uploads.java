package io.drover.bench;

import java.io.IOException;
import java.time.Duration;

/** Large request bodies. */
final class Uploads implements Measurement {
    private static final double MIB = 1 << 20;

    private final String group;
    private final boolean blobs;
    private final long length;
    private final Duration time;
    private final Figure rate;
    private final Figure cpu;

    private Uploads(String group, boolean blobs, long length, Duration time) {
        this.group = group;
        this.blobs = blobs;
        this.length = length;
        this.time = time;
        rate = Figure.more(group, "rate", "MiB/s", 0);
        cpu = Figure.less(group, "CPU per MiB", "ms", 2);
    }

    static Uploads prompts(Duration time) {
        return new Uploads("1 MiB prompts", false, 1 << 20, time);
    }

    static Uploads blobs(Duration time) {
        return new Uploads("64 MiB blob uploads", true, 64 << 20, time);
    }

    @Override
    public String group() {
        return group;
    }

    @Override
    public void warm(RunningProxy proxy) throws IOException {
        load(proxy).run(time);
    }

    private UploadLoad load(RunningProxy proxy) {
        return blobs ? UploadLoad.blobs(proxy.port(), length) : UploadLoad.prompts(proxy.port(), length);
    }

    @Override
    public void measure(RunningProxy proxy, Results results) {
        double before = proxy.cpuSeconds();
        long start = System.nanoTime();
        try {
            double sent = load(proxy).run(time) / MIB;
            double seconds = (System.nanoTime() - start) / 1e9;
            results.add(rate, proxy.name(), sent / seconds);
            results.add(cpu, proxy.name(), (proxy.cpuSeconds() - before) / sent * 1e3);
        } catch (IOException | IllegalStateException e) {
            results.fail(group, proxy.name(), String.valueOf(e.getMessage()));
        }
    }
}
