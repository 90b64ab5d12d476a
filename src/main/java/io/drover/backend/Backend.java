package io.drover.backend;

import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.Health;
import io.drover.metrics.BackendView;
import io.drover.ollama.ModelName;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A configured Ollama server: how many requests run on it, whether it is in rotation, and where it is.
 *
 * <p>Event loops report what became of requests, the prober what it found; the selection reads. Reading takes no lock;
 * reports take a short one, and only if there is something to change. Times are those of {@link System#nanoTime}.
 */
public final class Backend implements BackendView {
    private static final String SILENT = "it owes bytes and sends none";

    private volatile BackendConfig config;
    private final int index;
    private final BackendHealth health;
    private final Paces paces;
    private final Silence silence = new Silence();
    private volatile long wedgedAfterNanos;
    private final InFlight inFlight = new InFlight();

    private volatile List<InetSocketAddress> addresses = List.of();
    private volatile boolean lookupFailed;
    private volatile boolean retired;
    private final ModelObserver modelObserver;
    private final AtomicInteger modelChanges = new AtomicInteger();
    private volatile int listedChanges;
    private volatile boolean probed;
    private volatile Models models = Models.UNKNOWN;
    private volatile @Nullable String version;

    /**
     * @param index its place in the herd, from 0
     * @param limit that the whole herd shares
     */
    Backend(
            BackendConfig config,
            int index,
            Health health,
            EjectionLimit limit,
            BackendObserver observer,
            ModelObserver modelObserver) {
        this.config = config;
        this.index = index;
        this.health = new BackendHealth(this, health, limit, observer);
        this.paces = new Paces(this, this.health, health.degraded());
        this.wedgedAfterNanos = health.wedgedAfter().toNanos();
        this.probed = !health.active().interval().isZero();
        this.modelObserver = modelObserver;
    }

    /** Its entry, as of now: all but the name and the URL may change. */
    public BackendConfig config() {
        return config;
    }

    /** Its place among the backends of any cluster that it is part of; not its place in their order. */
    public int index() {
        return index;
    }

    @Override
    public String name() {
        return config.name();
    }

    @Override
    public int inFlight() {
        return inFlight.get();
    }

    @Override
    public List<String> loadedModels() {
        return models.loaded().stream().map(ModelName::shortened).toList();
    }

    @Override
    public boolean up() {
        return isUp(System.nanoTime());
    }

    /** Whether it is in rotation. */
    public boolean isUp(long nowNanos) {
        return health.isUp(nowNanos);
    }

    boolean takesRoom(long nowNanos) {
        return health.takesRoom(nowNanos);
    }

    /** Whether somebody wants it out of rotation. */
    public boolean isDraining() {
        return health.isDraining();
    }

    @Override
    public BackendState state() {
        return state(System.nanoTime());
    }

    public BackendState state(long nowNanos) {
        return health.state(nowNanos);
    }

    public BackendStatus status(long nowNanos) {
        return health.status(nowNanos);
    }

    /** Why it is not in rotation, in a few words; null if it is. */
    public @Nullable String downReason(long nowNanos) {
        return health.downReason(nowNanos);
    }

    /** Where to connect to first; null while its name is not resolved. */
    public @Nullable InetSocketAddress address() {
        List<InetSocketAddress> known = addresses;
        return known.isEmpty() ? null : known.get(0);
    }

    /** All addresses of its name, in the resolver's order; empty while it is not resolved. */
    public List<InetSocketAddress> addresses() {
        return addresses;
    }

    /** A look-up of its name has failed; the last addresses stay. */
    public void onLookupFailed() {
        lookupFailed = true;
    }

    /** Whether the last look-up of its name failed; false while the first one is under way. */
    public boolean isLookupFailed() {
        return lookupFailed;
    }

    /** Takes the addresses that its name has now. */
    public void onResolved(InetAddress[] resolved) {
        if (resolved.length == 0) {
            throw new IllegalArgumentException("addresses of " + name() + ": none (expected: at least one)");
        }
        lookupFailed = false;
        addresses = Arrays.stream(resolved)
                .map(address -> new InetSocketAddress(address, config.port()))
                .toList();
    }

    /** Its models as last listed, however long ago; {@link Models#UNKNOWN} before that. */
    public Models models() {
        return models;
    }

    /** Takes a new listing of its models; from one thread at a time. Says nothing about its health. */
    public void onModels(Models listed) {
        Models last = models;
        models = listed;
        last.tellChanges(listed, modelObserver);
    }

    /**
     * A request has ended here that may have changed its models: what it has is not known until a listing of its disk
     * has come that was asked for later.
     */
    public void onModelChange() {
        modelChanges.incrementAndGet();
    }

    /** How often {@link #onModelChange} was told; to be asked before its disk is listed. */
    public int modelChanges() {
        return modelChanges.get();
    }

    /**
     * A listing of its disk has come, and {@link #onModels} has it; from one thread at a time.
     *
     * @param changes {@link #modelChanges} before it was asked for
     */
    public void onListed(int changes) {
        listedChanges = changes;
    }

    /** Whether {@link #models} tells what is on its disk: as of the last listing, if that is renewed and not overtaken. */
    public boolean isListed() {
        return probed && models.isKnown() && listedChanges == modelChanges.get();
    }

    /** Its version, as the last probe that succeeded told; null where that told none, or there was none yet. */
    public @Nullable String version() {
        return version;
    }

    /** Takes the version that a probe was told; null: none. */
    public void onVersion(@Nullable String told) {
        version = told;
    }

    /**
     * A request succeeded here: proof enough to end an ejection, if it was sent since.
     *
     * @param sentNanos when it was given to this backend
     */
    public void onSuccess(long sentNanos, long nowNanos) {
        health.onSuccess(sentNanos, nowNanos);
    }

    /** A request failed here by the backend's fault; the last of {@code passive.failures} in a row ejects it. */
    public void onFailure(String reason, long nowNanos) {
        health.onFailure(reason, nowNanos);
    }

    /** A connection was refused or timed out: proof enough to eject it at once. */
    public void onConnectFailure(String reason, long nowNanos) {
        health.onConnectFailure(reason, nowNanos);
    }

    /**
     * An answer to an inference request has come to its end in order: its speed and its end are judged.
     *
     * @param herd whose other backends it is compared with
     */
    public void onAnswer(Answer answer, Collection<Backend> herd, long nowNanos) {
        silence.onBytes(nowNanos);
        health.onBytes(nowNanos);
        paces.onAnswer(answer, herd, nowNanos);
    }

    /**
     * What it owes the requests of one event loop; to be told once a second while it owes anything, and once more then.
     *
     * @param loop whatever stands for the event loop
     * @param owed null: nothing
     */
    public void onOwed(Object loop, @Nullable Owed owed) {
        silence.onOwed(loop, owed);
    }

    /** How fast it answers, by model, in the order of their names. */
    public List<ModelPace> paces() {
        return paces.all();
    }

    /** Its pace with one model; null where there is none yet. */
    @Nullable
    Pace pace(String key) {
        return paces.of(key);
    }

    boolean isDegraded() {
        return health.isDegraded();
    }

    /**
     * A probe ended. The very first decides at once; later a failure makes it suspect, {@code fall} in a row take it down,
     * and {@code rise} successes bring it back.
     *
     * @param reason why it failed, in a few words; ignored if it did not
     */
    public void onProbe(boolean ok, String reason, long nowNanos) {
        health.onProbe(ok, reason, nowNanos);
    }

    /** Time has passed: tells of what has changed by that alone, such as the end of an ejection. */
    public void onTime(long nowNanos) {
        if (wedgedAfterNanos > 0) {
            if (silence.lastsFor(wedgedAfterNanos)) {
                health.onSilence(SILENT, nowNanos);
            } else if (silence.hasByteWithin(wedgedAfterNanos, nowNanos)) {
                health.onBytes(nowNanos);
            }
        }
        paces.onTime(nowNanos);
        health.onTime(nowNanos);
    }

    /** Takes it out of rotation, or back into it, to be judged anew; what runs on it goes on. */
    public void drain(boolean wanted, long nowNanos) {
        if (!wanted) {
            paces.forget(nowNanos);
        }
        health.drain(wanted, wanted ? "drained" : "undrained", nowNanos);
    }

    /** Takes what a reload has changed. */
    void configure(BackendConfig entry, Health rules, long nowNanos) {
        config = entry;
        wedgedAfterNanos = rules.wedgedAfter().toNanos();
        probed = !rules.active().interval().isZero();
        paces.configure(rules.degraded(), nowNanos);
        health.configure(rules, nowNanos);
    }

    /**
     * It belongs to no cluster that is still chosen from: gets no more requests; what runs on it goes on. For good.
     */
    public void retire(long nowNanos) {
        retired = true;
        health.drain(true, "removed", nowNanos);
    }

    /** Whether it no longer belongs to the herd. */
    public boolean isRetired() {
        return retired;
    }

    /** Its weight as it counts now: a thousandth of it is 1, so that one that has just come back gets little. */
    long weight(long nowNanos) {
        return (long) config.weight() * health.share(nowNanos);
    }

    /** Takes a slot if as many requests run here as the caller saw; null if that has changed. */
    @Nullable
    Slot tryAcquire(int seenInFlight) {
        return inFlight.increment(seenInFlight) ? new Slot(this) : null;
    }

    /** Takes a slot whatever else runs here: for a request that was already counted and goes on. */
    public Slot acquire() {
        inFlight.increment();
        return new Slot(this);
    }

    void onRelease() {
        inFlight.decrement();
    }

    @Override
    public String toString() {
        return name();
    }
}
