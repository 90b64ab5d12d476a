package io.drover.backend;

import io.drover.config.DroverConfig.DegradedHealth;
import io.drover.ollama.AnswerEnd;
import io.drover.ollama.ModelName;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How one backend answers, model by model; degrades it when it answers worse than it did, and ends that when what degraded
 * it is well again. Any thread.
 */
final class Paces {
    /** More models than any backend serves at a time; the one not heard of for longest makes room. */
    static final int MOST_MODELS = 64;

    private static final long FORGOTTEN_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final Backend backend;
    private final BackendHealth health;
    private volatile DegradedHealth config;
    private final Map<String, Pace> byModel = new ConcurrentHashMap<>();
    private final Ends ends = new Ends();
    private volatile @Nullable Culprit culprit;

    Paces(Backend backend, BackendHealth health, DegradedHealth config) {
        this.backend = backend;
        this.health = health;
        this.config = config;
    }

    /** Takes other rules, by which it is judged anew. */
    void configure(DegradedHealth rules, long nowNanos) {
        if (!rules.equals(config)) {
            config = rules;
            forget(nowNanos);
        }
    }

    @Nullable
    Pace of(String key) {
        return byModel.get(key);
    }

    List<ModelPace> all() {
        return byModel.values().stream()
                .map(Pace::view)
                .sorted(Comparator.comparing(ModelPace::model))
                .toList();
    }

    void onAnswer(Answer answer, Collection<Backend> herd, long nowNanos) {
        ModelName model = answer.model();
        // What a cloud model takes is not the backend's time.
        if (answer.end() == AnswerEnd.DONE && model != null && !model.isCloud()) {
            onPace(answer, model, herd, nowNanos);
        }
        if (answer.end() == AnswerEnd.DONE || answer.end() == AnswerEnd.UNFINISHED) {
            onEnd(answer.end() == AnswerEnd.DONE, nowNanos);
        }
    }

    private void onPace(Answer answer, ModelName model, Collection<Backend> herd, long nowNanos) {
        if (answer.record().generationNanos() < 0) {
            // An embedding, or an API that tells no times.
            return;
        }
        Pace pace = pace(model, nowNanos);
        Peers peers = new Peers(backend, herd, model.key(), nowNanos);
        switch (pace.judge(answer.record(), answer.firstByteNanos(), peers, health.isDegraded(), nowNanos)) {
            case SLOW -> {
                // Unless it was forgotten meanwhile: nothing would ever make it well again.
                if (byModel.containsValue(pace)) {
                    degrade(pace, pace.complaint(), nowNanos);
                }
            }
            case WELL -> recover(pace, "it is as fast as it was", nowNanos);
            case NOTHING -> {}
        }
    }

    private void onEnd(boolean finished, long nowNanos) {
        int unfinished = ends.add(finished, nowNanos);
        int percent = unfinished * 100 / Ends.WINDOW;
        if (percent > config.unfinished() && config.requests() > 0) {
            degrade(ends, "unfinished: " + unfinished + " of the last " + Ends.WINDOW + " answers", nowNanos);
        } else if (2 * percent <= config.unfinished()) {
            recover(ends, "its answers have ends again", nowNanos);
        }
    }

    private void degrade(Culprit by, String how, long nowNanos) {
        if (!health.isDegraded()) {
            culprit = by;
            health.degrade(how, nowNanos);
        }
    }

    private void recover(Culprit of, String how, long nowNanos) {
        if (health.isDegraded() && culprit == of) {
            health.recover(how, nowNanos);
        }
    }

    /** One whose culprit has not been heard of for long is no longer known to be bad: it gets another chance. */
    void onTime(long nowNanos) {
        Culprit by = culprit;
        if (by != null && health.isDegraded() && nowNanos - by.lastNanos() >= FORGOTTEN_NANOS) {
            by.forget();
            health.recover("for ten minutes no answer to judge it by", nowNanos);
        }
    }

    /** Somebody has seen to it: it is judged anew, as if it had only been added now. */
    void forget(long nowNanos) {
        byModel.clear();
        ends.forget();
        health.recover("judged anew", nowNanos);
    }

    private Pace pace(ModelName model, long nowNanos) {
        Pace known = byModel.get(model.key());
        return known == null ? learn(model, nowNanos) : known;
    }

    private synchronized Pace learn(ModelName model, long nowNanos) {
        if (byModel.size() >= MOST_MODELS) {
            byModel.entrySet().stream()
                    .max(Comparator.comparingLong(
                            entry -> nowNanos - entry.getValue().lastNanos()))
                    .ifPresent(oldest -> byModel.remove(oldest.getKey()));
        }
        return byModel.computeIfAbsent(model.key(), key -> new Pace(model.requested(), config, nowNanos));
    }
}
