package io.drover.backend;

import java.util.List;

/**
 * What a request for one model gets, whichever backend it goes to: the model's digest and the server's version, if all
 * that may answer have the same. Equal ones stand for the same answers.
 *
 * @param digest empty unless {@link Accord#AGREED}
 * @param version of the backends; empty unless {@link Accord#AGREED}
 * @param context tokens of the shortest context with which one of them has it loaded; 0 where none has, or none tells
 */
public record HerdModel(Accord accord, String digest, String version, int context) {
    /** Whether the backends have the same. */
    public enum Accord {
        AGREED,
        /** Another digest, or another version: the answer depends on where the request goes. */
        DIFFERENT,
        /** No backend lists the model, or one that may answer does not tell what it has. */
        UNKNOWN
    }

    private static final HerdModel DIFFERENT = new HerdModel(Accord.DIFFERENT, "", "", 0);
    private static final HerdModel UNKNOWN = new HerdModel(Accord.UNKNOWN, "", "", 0);

    /**
     * Whether an answer of this backend is one that this stands for, as far as is known now: to be asked again when the
     * answer is complete, since a backend may have joined or changed since.
     */
    public boolean isOf(Backend backend, String key) {
        return accord == Accord.AGREED
                && backend.isListed()
                && digest.equals(backend.models().digest(key))
                && version.equals(backend.version());
    }

    /**
     * Counted are the backends that list the model, in rotation or not: one that is down may be back before the next
     * request, with what it had. Drained ones are not, as long as there are others, since requests go by them for good.
     *
     * @param key of the model
     */
    static HerdModel of(String key, List<Backend> backends, long nowNanos) {
        boolean drained = isDrained(backends);
        String digest = null;
        String version = "";
        int context = 0;
        for (int i = 0; i < backends.size(); i++) {
            Backend backend = backends.get(i);
            Models models = backend.models();
            if (backend.isDraining() != drained) {
                continue;
            }
            if (!backend.isListed()) {
                if (backend.isUp(nowNanos)) {
                    return UNKNOWN;
                }
                // It would be listed before it gets a request, or soon after: one that is dead must not rule all out.
                continue;
            }
            if (!models.lists(key)) {
                continue;
            }
            String itsDigest = models.digest(key);
            String itsVersion = backend.version();
            if (itsDigest == null || itsVersion == null) {
                return UNKNOWN;
            }
            if (digest == null) {
                digest = itsDigest;
                version = itsVersion;
            } else if (!digest.equals(itsDigest) || !version.equals(itsVersion)) {
                return DIFFERENT;
            }
            context = Models.shorter(context, models.contextLength(key));
        }
        return digest == null ? UNKNOWN : new HerdModel(Accord.AGREED, digest, version, context);
    }

    private static boolean isDrained(List<Backend> backends) {
        for (int i = 0; i < backends.size(); i++) {
            if (!backends.get(i).isDraining()) {
                return false;
            }
        }
        return true;
    }
}
