package io.drover.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.LongStream;

/** Many {@link ChaosClient}s, and all that they saw. */
final class ChaosClients implements AutoCloseable {
    private static final int CONNECT_MILLIS = 5000;

    private final EventLoop loop;
    private final List<ChaosClient> clients;
    private final List<SeenAnswer> seen = new ArrayList<>();

    /** @param asking by the client's number, which is a seed as well */
    private ChaosClients(Loops loops, int port, int count, LongFunction<Asking> asking) {
        loop = (EventLoop) loops.group().next();
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .channel(loops.channel())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                .remoteAddress(InetAddress.getLoopbackAddress(), port);
        clients = LongStream.range(0, count)
                .mapToObj(i -> new ChaosClient(loop, bootstrap, asking.apply(i), this::onSeen))
                .toList();
    }

    static ChaosClients start(Loops loops, int port, int count, LongFunction<Asking> asking) {
        ChaosClients all = new ChaosClients(loops, port, count, asking);
        Futures.get(all.loop.submit(() -> all.clients.forEach(ChaosClient::start)));
        return all;
    }

    private void onSeen(SeenAnswer answer) {
        synchronized (seen) {
            seen.add(answer);
        }
    }

    /** Answers that have ended since, in the order of their ends. */
    List<SeenAnswer> endedSince(long nanos) {
        synchronized (seen) {
            return seen.stream()
                    .filter(answer -> answer.endedNanos() - nanos >= 0)
                    .toList();
        }
    }

    @Override
    public void close() {
        Futures.get(loop.submit(() -> clients.forEach(ChaosClient::stop)));
    }
}
