package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.http.BodyFraming;
import io.drover.http.ChunkedFraming;
import io.drover.http.HeadParser;
import io.drover.http.HeadWriter;
import io.drover.ollama.ModelName;
import io.drover.tls.ServerTls;
import io.drover.upstream.UpstreamPool;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One event loop and everything private to it: connection pools, deadlines, scratch memory. An exchange lives on one
 * worker from accept to log, so nothing here is locked or shared.
 */
public final class Worker {
    private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

    private static final long REFUSED_HOST_EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final ProxyContext context;
    private final EventLoop loop;
    private final ByteBufAllocator allocator;
    private final LoopClock clock = new LoopClock();
    private final Deadlines deadlines = new Deadlines(clock.now());
    private final HeadWriter headWriter = new HeadWriter();
    private final PayloadRanges ranges = new PayloadRanges();
    private final PeerState peerState = new PeerState();
    private final SplittableRandom random = new SplittableRandom();
    private final Debts debts = new Debts(clock.now());
    private final Map<Backend, Lane> lanes = new HashMap<>();
    private final Bootstrap upstream;
    private final long stallNanos;
    private @Nullable ModelName lastModel;
    private long refusedHostToldNanos = clock.now() - REFUSED_HOST_EVERY_NANOS;
    private final ScheduledFuture<?> ticker;
    private final Set<ClientConnection> clients = new LinkedHashSet<>();
    private final Set<ClientConnection> slowClients = new LinkedHashSet<>();

    /** @param upstream makes sockets to backends on {@code loop}; their options are set here */
    public Worker(ProxyContext context, EventLoop loop, Bootstrap upstream, ByteBufAllocator allocator) {
        this.context = context;
        this.loop = loop;
        this.allocator = allocator;
        this.stallNanos = context.config().metrics().stallAfter().toNanos();
        this.upstream = withOptions(upstream);
        long tickMillis = TimeUnit.NANOSECONDS.toMillis(Deadlines.TICK_NANOS);
        ticker = loop.scheduleWithFixedDelay(this::tick, tickMillis, tickMillis, TimeUnit.MILLISECONDS);
    }

    private Bootstrap withOptions(Bootstrap upstream) {
        var config = context.config();
        return upstream.option(ChannelOption.ALLOCATOR, allocator)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                // An answer that came before our write failed must still be read (an upload of an existing blob).
                .option(ChannelOption.AUTO_CLOSE, false)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectMillis())
                .option(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(
                                config.buffers().streamLow(), config.buffers().streamHigh()));
    }

    private void tick() {
        try {
            turn();
        } catch (RuntimeException e) {
            // A tick that throws would be the last one, and no deadline would ever fire again.
            LOG.error("a deadline fails by a fault of ours", e);
        }
    }

    private void turn() {
        clock.synchronise();
        long now = clock.now();
        deadlines.advance(now);
        for (Iterator<Lane> each = lanes.values().iterator(); each.hasNext(); ) {
            Lane lane = each.next();
            lane.pool().expire(now);
            if (lane.isForsaken()) {
                each.remove();
            }
        }
        debts.look(clients, now);
        // Over the global budget the client that has been slow for longest goes first, one each tick.
        if (context.outbound().isExceeded() && !slowClients.isEmpty()) {
            slowClients.iterator().next().abort("outbound memory is exhausted");
        }
    }

    /** The handler of a client connection of plain HTTP that was accepted on this loop. */
    public ClientConnection newClientConnection() {
        return new ClientConnection(this, null);
    }

    /** Adds what handles a client connection that was accepted on this loop. */
    public void accept(ChannelPipeline pipeline) {
        ServerTls rules = context.settings().tls();
        if (rules == null) {
            pipeline.addLast(newClientConnection());
        } else {
            ClientTls tls = new ClientTls(context, rules);
            tls.addTo(pipeline, new ClientConnection(this, tls));
        }
    }

    /** Makes {@code pipeline} take the PROXY header, where there is to be one; before the handlers that see what follows. */
    public void expectPeerHeader(ChannelPipeline pipeline) {
        if (context.config().proxyProtocol()) {
            PeerHeader.addTo(pipeline, this);
        }
    }

    /** A backend is down, or wedged: takes back what waits for its answer in vain. On the loop. */
    public void onBackendDown(Backend backend, boolean wedged) {
        clock.read();
        for (ClientConnection client : List.copyOf(clients)) {
            Exchange running = client.running();
            if (running != null) {
                running.onBackendDown(backend, wedged);
            }
        }
    }

    /** Ends keep-alive connections without a request, and unused connections to backends. On the loop. */
    public void closeIdle() {
        clock.read();
        for (ClientConnection client : List.copyOf(clients)) {
            client.closeIfIdle();
        }
        for (Lane lane : lanes.values()) {
            lane.pool().closeIdle();
        }
    }

    /** Ends every client connection, whatever runs on it. On the loop. */
    public void closeAll() {
        clock.read();
        ticker.cancel(false);
        for (ClientConnection client : List.copyOf(clients)) {
            client.abort("the process ends");
        }
        closeIdle();
    }

    /** Has the models of all backends listed anew; {@code then} follows on the loop, never before this returns. */
    void listModels(Runnable then) {
        context.listModels()
                .thenRun(() -> loop.execute(() -> {
                    clock.read();
                    then.run();
                }));
    }

    public EventLoop loop() {
        return loop;
    }

    ProxyContext context() {
        return context;
    }

    boolean isDraining() {
        return context.isDraining();
    }

    UpstreamPool pool(Backend backend) {
        return lane(backend).pool();
    }

    BackendLines lines(Backend backend) {
        return lane(backend).lines();
    }

    /** By identity, not by index: a backend that has left the herd may still run something. */
    private Lane lane(Backend backend) {
        Lane lane = lanes.get(backend);
        if (lane == null) {
            lane = new Lane(
                    backend, new UpstreamPool(backend, context.settings().upstream(), upstream));
            lanes.put(backend, lane);
        }
        return lane;
    }

    /** The configuration was reloaded: connections are made as it says now. On the loop. */
    public void onReload() {
        upstream.option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectMillis());
        for (Lane lane : lanes.values()) {
            lane.pool().configure(context.settings().upstream());
        }
    }

    private int connectMillis() {
        return (int) context.config().timeouts().connect().toMillis();
    }

    LoopClock clock() {
        return clock;
    }

    Deadlines deadlines() {
        return deadlines;
    }

    HeadWriter headWriter() {
        return headWriter;
    }

    PayloadRanges ranges() {
        return ranges;
    }

    PeerState peerState() {
        return peerState;
    }

    Set<ClientConnection> clients() {
        return clients;
    }

    /** Silence within an answer that counts as a stall. */
    long stallNanos() {
        return stallNanos;
    }

    /** Tells, now and then, that a backend answered 403 without a word: it does not accept its Host or an Origin. */
    void warnOfRefusedHost(Backend backend) {
        long now = clock.now();
        if (now - refusedHostToldNanos >= REFUSED_HOST_EVERY_NANOS) {
            refusedHostToldNanos = now;
            LOG.warn(
                    "backend {} answers 403 to the Host {}: see OLLAMA_HOST there, or the backend's host here",
                    backend.name(),
                    backend.config().host());
        }
    }

    /** Most requests are for the model of the last one: its key is made, and hashed for look-ups, only once. */
    ModelName modelName(String requested) {
        ModelName last = lastModel;
        if (last == null || !last.requested().equals(requested)) {
            last = ModelName.of(requested);
            lastModel = last;
        }
        return last;
    }

    /** A client over its write limit counts against the global budget with that limit, until it has caught up. */
    void setSlow(ClientConnection client, boolean on) {
        long bytes = context.config().buffers().streamHigh();
        if (on && slowClients.add(client)) {
            context.outbound().take(bytes);
        } else if (!on && slowClients.remove(client)) {
            context.outbound().giveBack(bytes);
        }
    }

    ByteBufAllocator allocator() {
        return allocator;
    }

    ByteBuf allocate(int bytes) {
        return allocator.ioBuffer(bytes);
    }

    HeadParser newRequestParser() {
        var limits = context.config().limits();
        return HeadParser.ofRequests(limits.requestHead(), limits.headers());
    }

    /** A scanner for a request's body; null where it is not framed in chunks. */
    @Nullable
    ChunkedFraming chunksOf(BodyFraming framing) {
        return framing.kind() == BodyFraming.Kind.CHUNKED ? newChunkedFraming(false) : null;
    }

    /** A scanner for a body that is framed in chunks; each body has its own. */
    ChunkedFraming newChunkedFraming(boolean passThrough) {
        ChunkedFraming framing = new ChunkedFraming(context.config().limits().requestHead());
        framing.reset(passThrough);
        return framing;
    }

    SplittableRandom random() {
        return random;
    }

    /** 16 hexadecimal digits that no other request is likely to have. */
    String newRequestId() {
        return HexFormat.of().toHexDigits(random.nextLong());
    }
}
