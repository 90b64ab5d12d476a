package io.drover.demo;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A simulated Ollama server: the real routes, shapes and framing, an invented text, and faults on request. It stands on
 * Netty's own HTTP codec, so that it checks Drover's parser and does not share its mistakes.
 *
 * <p>Texts, vectors and digests follow from the model, the prompt and the seed alone: two servers give the same answer.
 * All methods may be called from any thread but those of its event loops.
 */
public final class SimulatedOllama implements AutoCloseable {
    private static final int GO_MAX_HEADER = 1 << 20;
    private static final long POLL_NANOS = 200_000;

    private final Settings settings;
    private final EventLoopGroup loops;
    private final Class<? extends ServerChannel> channelType;
    private final boolean ownLoops;
    private final Simulation simulation;
    private final InetSocketAddress address;
    private volatile @Nullable Channel listener;
    /** Bound and not listening: refuses connects, and nobody else is given its port meanwhile. */
    private @Nullable Socket reserved;

    private SimulatedOllama(Settings settings) {
        this.settings = settings;
        EventLoopGroup given = settings.loops;
        this.ownLoops = given == null;
        this.loops = given != null
                ? given
                : new MultiThreadIoEventLoopGroup(
                        1, new DefaultThreadFactory("simulated-ollama", true), NioIoHandler.newFactory());
        this.channelType = settings.channelType;
        this.simulation = new Simulation(settings, loops.next());
        try {
            this.address = listen(new InetSocketAddress(settings.host, settings.port));
        } catch (RuntimeException e) {
            stopLoops();
            throw e;
        }
    }

    /**
     * Starts a server; it accepts when this returns.
     *
     * @throws ChannelException if the address cannot be bound
     */
    public static SimulatedOllama start(Settings settings) {
        return new SimulatedOllama(settings);
    }

    private InetSocketAddress listen(InetSocketAddress at) {
        Channel channel = new ServerBootstrap()
                .group(loops)
                .channel(channelType)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, 4096)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel client) {
                        HttpDecoderConfig config = new HttpDecoderConfig()
                                .setMaxInitialLineLength(GO_MAX_HEADER)
                                .setMaxHeaderSize(GO_MAX_HEADER)
                                .setMaxChunkSize(64 << 10);
                        client.pipeline()
                                .addLast(new HttpServerCodec(config), new ServedConnection(simulation, client));
                    }
                })
                .bind(at)
                .syncUninterruptibly()
                .channel();
        listener = channel;
        return (InetSocketAddress) channel.localAddress();
    }

    /** Where it listens; the same after {@link #resume()}. */
    public InetSocketAddress address() {
        return address;
    }

    /** Its address as Drover is configured with it. */
    public URI url() {
        String host = address.getAddress().getHostAddress();
        return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort());
    }

    /** Closes everything at once, as Ollama does. */
    @Override
    public void close() {
        stopListening();
        simulation.connections.forEach(c -> c.disconnect(false));
        stopLoops();
        release();
    }

    private void stopLoops() {
        if (ownLoops) {
            loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
        }
    }

    /** The fault strikes every request it is for, until {@link #clearFaults()}. */
    public void fault(Fault fault) {
        fault(fault, Long.MAX_VALUE);
    }

    /** The fault strikes the next so many requests it is for; faults strike in the order they were asked for. */
    public void fault(Fault fault, long times) {
        simulation.faults.add(fault, times);
    }

    public void clearFaults() {
        simulation.faults.clear();
    }

    /** Stops listening, but keeps the port; connects are refused when this returns. Open connections stay. */
    public void refuse() {
        if (listener == null) {
            return;
        }
        stopListening();
        // The JDK keeps a closed listener alive until its selector has selected once more.
        await("connects are refused", this::isRefusing);
        try {
            Socket bound = new Socket();
            reserved = bound;
            bound.setReuseAddress(true);
            bound.bind(address);
        } catch (IOException taken) {
            throw new UncheckedIOException(taken);
        }
    }

    private void stopListening() {
        Channel channel = listener;
        if (channel != null) {
            listener = null;
            channel.close().syncUninterruptibly();
        }
    }

    private boolean isRefusing() {
        try (Socket probe = new Socket()) {
            probe.connect(address, 1000);
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    /** Listens again where it did. */
    public void resume() {
        if (listener == null) {
            listen(address);
            release();
        }
    }

    private void release() {
        Socket bound = reserved;
        if (bound != null) {
            reserved = null;
            try {
                bound.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /**
     * Closes all open connections, whatever they are doing.
     *
     * @param reset with RST instead of FIN
     */
    public void disconnect(boolean reset) {
        simulation.connections.forEach(c -> c.disconnect(reset));
    }

    /** Hangs like a stopped process: connects succeed, but nothing is accepted, read or written. */
    public void freeze() {
        accepting(false);
        simulation.freeze(true);
        // What a loop has begun to read when this is called, it has finished when this returns.
        loops.forEach(loop -> loop.submit(() -> {}).syncUninterruptibly());
    }

    /** Ends {@link #freeze()}. */
    public void thaw() {
        simulation.freeze(false);
        accepting(true);
    }

    private void accepting(boolean on) {
        Channel channel = listener;
        if (channel != null) {
            channel.config().setAutoRead(on);
        }
    }

    /** From now on its texts come at this pace, those that are being written too; 0: as fast as possible. */
    public void pace(double tokensPerSecond) {
        simulation.pace(Settings.atLeast("tokensPerSecond", tokensPerSecond, 0));
    }

    /** Requests whose head was read. */
    public long requests() {
        return simulation.counters.requests.sum();
    }

    /** The last requests whose body was read or given up, oldest first; at most {@link Settings#remembered()}. */
    public List<ReceivedRequest> received() {
        return simulation.counters.received();
    }

    /** Requests whose client left before the answer's end. */
    public long cancelled() {
        return simulation.counters.cancelled.sum();
    }

    /** Generations that hold a slot. */
    public int active() {
        return simulation.counters.active();
    }

    /** The most that {@link #active()} ever was. */
    public int maxActive() {
        return simulation.counters.maxActive();
    }

    /** Requests that wait for a load or for a slot. */
    public int waiting() {
        return simulation.scheduler.waiting();
    }

    public int openConnections() {
        return simulation.connections.size();
    }

    public long connectionsAccepted() {
        return simulation.counters.accepted.sum();
    }

    /** Names of the loaded models. */
    public List<String> loaded() {
        return simulation.scheduler.loaded().stream().map(l -> l.model().name()).toList();
    }

    /** Names of the models on its disk, newest first. */
    public List<String> models() {
        return simulation.store.list().stream().map(s -> s.model().name()).toList();
    }

    /** Adds a model as if it had just been pulled. */
    public void addModel(SimulatedModel model) {
        simulation.store.add(model);
    }

    /** Has the registry offer this under its name: whoever pulls that gets it from now on. */
    public void publish(SimulatedModel model) {
        simulation.store.publish(model);
    }

    /** Removes a model; false if it was not there. */
    public boolean removeModel(String name) {
        return simulation.store.delete(name);
    }

    /** @param digest with {@code sha256:} */
    public boolean hasBlob(String digest) {
        return simulation.store.hasBlob(digest);
    }

    public Settings settings() {
        return settings;
    }

    /**
     * Waits up to ten seconds for a condition, usually on the counters of this server.
     *
     * @param what the condition in words
     * @throws AssertionError if it does not come true
     */
    public void await(String what, BooleanSupplier condition) {
        await(what, condition, Duration.ofSeconds(10));
    }

    /** As {@link #await(String, BooleanSupplier)}, with another deadline. */
    public void await(String what, BooleanSupplier condition, Duration within) {
        long deadline = System.nanoTime() + within.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("after " + within + " still not: " + what + "; " + this);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    @Override
    public String toString() {
        return "simulated Ollama " + url() + " (requests " + requests() + ", active " + active() + ", waiting "
                + waiting() + ", cancelled " + cancelled() + ", connections " + openConnections() + ")";
    }

    /** How a simulated server is. Immutable: each {@code with} gives a changed copy. */
    public static final class Settings {
        private String host = "127.0.0.1";
        private int port;
        private String version = "0.32.15";
        private List<SimulatedModel> models =
                List.of(SimulatedModel.named("llama3.2"), SimulatedModel.embedder("nomic-embed-text"));
        private Duration loadTime = Duration.ZERO;
        private Duration firstToken = Duration.ZERO;
        private double tokensPerSecond;
        private int tokens = 48;
        private int slots = 1;
        private int maxQueue = 512;
        private int contextTokens = -1;
        private Duration progressInterval = Duration.ofMillis(1);
        private boolean fixedClock;
        private boolean loopbackRules;
        private boolean flushEachLine = true;
        private int remembered = 1000;
        private Runnable onInference = () -> {};
        private @Nullable EventLoopGroup loops;
        private Class<? extends ServerChannel> channelType = NioServerSocketChannel.class;

        private Settings() {}

        private Settings(Settings s) {
            host = s.host;
            port = s.port;
            version = s.version;
            models = s.models;
            loadTime = s.loadTime;
            firstToken = s.firstToken;
            tokensPerSecond = s.tokensPerSecond;
            tokens = s.tokens;
            slots = s.slots;
            maxQueue = s.maxQueue;
            contextTokens = s.contextTokens;
            progressInterval = s.progressInterval;
            fixedClock = s.fixedClock;
            loopbackRules = s.loopbackRules;
            flushEachLine = s.flushEachLine;
            remembered = s.remembered;
            onInference = s.onInference;
            loops = s.loops;
            channelType = s.channelType;
        }

        /** Loopback, a free port, two models, one slot, 48 tokens per answer as fast as possible. */
        public static Settings defaults() {
            return new Settings();
        }

        private Settings with(Consumer<Settings> change) {
            Settings copy = new Settings(this);
            change.accept(copy);
            return copy;
        }

        public Settings withHost(String value) {
            return with(s -> s.host = value);
        }

        /** 0: any free one. */
        public Settings withPort(int value) {
            return with(s -> s.port = value);
        }

        /** What {@code /api/version} says. */
        public Settings withVersion(String value) {
            return with(s -> s.version = value);
        }

        public Settings withModels(List<SimulatedModel> value) {
            return with(s -> s.models = List.copyOf(value));
        }

        /** Models that write text, by name. */
        public Settings withModels(String... names) {
            return withModels(List.of(names).stream().map(SimulatedModel::named).toList());
        }

        /** How long loading a model takes. */
        public Settings withLoadTime(Duration value) {
            return with(s -> s.loadTime = value);
        }

        /** How long the first token takes once a slot is free; embeddings take as long. */
        public Settings withFirstToken(Duration value) {
            return with(s -> s.firstToken = value);
        }

        /** Per stream; 0: as fast as possible. */
        public Settings withTokensPerSecond(double value) {
            return with(s -> s.tokensPerSecond = atLeast("tokensPerSecond", value, 0));
        }

        /** Tokens of an answer whose request does not limit them. */
        public Settings withTokens(int value) {
            return with(s -> s.tokens = (int) atLeast("tokens", value, 1));
        }

        /** Generations at once per loaded model. */
        public Settings withSlots(int value) {
            return with(s -> s.slots = (int) atLeast("slots", value, 1));
        }

        /** Most requests that wait before a load; more get 503. Those behind slots are not bounded. */
        public Settings withMaxQueue(int value) {
            return with(s -> s.maxQueue = (int) atLeast("maxQueue", value, 0));
        }

        /** Length of {@code context} in generate's final record; negative: as long as prompt and answer. */
        public Settings withContextTokens(int value) {
            return with(s -> s.contextTokens = value);
        }

        /** Between two lines of a pull, push or create. */
        public Settings withProgressInterval(Duration value) {
            return with(s -> s.progressInterval = value);
        }

        /** Whether times, durations and ids are always the same, so that answers can be compared byte by byte. */
        public Settings withFixedClock(boolean value) {
            return with(s -> s.fixedClock = value);
        }

        /** Whether Host and Origin are checked as on a server bound to loopback. */
        public Settings withLoopbackRules(boolean value) {
            return with(s -> s.loopbackRules = value);
        }

        /** Whether each line is written on its own, as Ollama does; false saves a benchmark's backend system calls. */
        public Settings withFlushEachLine(boolean value) {
            return with(s -> s.flushEachLine = value);
        }

        /** Most requests kept for {@link SimulatedOllama#received()}; 0 saves a benchmark the digests. */
        public Settings withRemembered(int value) {
            return with(s -> s.remembered = (int) atLeast("remembered", value, 0));
        }

        /** Is called for each request for inference whose head was read, on that request's event loop. */
        public Settings withOnInference(Runnable value) {
            return with(s -> s.onInference = value);
        }

        /** Runs on these loops, which are not closed with it, and with the channel class that belongs to them. */
        public Settings withLoops(EventLoopGroup group, Class<? extends ServerChannel> channel) {
            return with(s -> {
                s.loops = group;
                s.channelType = channel;
            });
        }

        private static double atLeast(String name, double value, double least) {
            if (!(value >= least)) {
                throw new IllegalArgumentException(name + ": " + value + " (expected: >= " + least + ")");
            }
            return value;
        }

        public int remembered() {
            return remembered;
        }

        public int tokens() {
            return tokens;
        }

        public int slots() {
            return slots;
        }

        public List<SimulatedModel> models() {
            return models;
        }

        public String version() {
            return version;
        }

        Duration loadTime() {
            return loadTime;
        }

        Duration firstToken() {
            return firstToken;
        }

        double tokensPerSecond() {
            return tokensPerSecond;
        }

        int maxQueue() {
            return maxQueue;
        }

        int contextTokens() {
            return contextTokens;
        }

        Duration progressInterval() {
            return progressInterval;
        }

        boolean hasFixedClock() {
            return fixedClock;
        }

        boolean hasLoopbackRules() {
            return loopbackRules;
        }

        Runnable onInference() {
            return onInference;
        }

        boolean flushesEachLine() {
            return flushEachLine;
        }
    }
}
