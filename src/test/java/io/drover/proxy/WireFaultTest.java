package io.drover.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.backend.Backend;
import io.drover.backend.Cluster;
import io.drover.backend.Membership;
import io.drover.backend.Models;
import io.drover.config.ConfigLoader;
import io.drover.config.ConfigSource;
import io.drover.config.DroverConfig;
import io.drover.config.DroverConfig.TlsProvider;
import io.drover.metrics.AccessLog;
import io.drover.metrics.AuditLog;
import io.drover.metrics.Metrics;
import io.drover.tls.BackendContexts;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class WireFaultTest {
    private static final class Rig implements AutoCloseable {
        final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        final AccessLog log;
        final Worker worker;
        final Channel listener;
        final List<ServerSocket> backends = new ArrayList<>();

        /** A look at the backends' models that ends when a test says so. */
        final CompletableFuture<Void> listings = new CompletableFuture<>();

        final Cluster cluster;

        Rig(String... answers) throws Exception {
            this(Map.of(), answers);
        }

        Rig(Map<String, String> settings, String... answers) throws Exception {
            Map<String, String> all = new HashMap<>(settings);
            all.putAll(Map.of("access-log.enabled", "false", "balance", "round-robin"));
            List<String> urls = new ArrayList<>();
            for (String answer : answers) {
                ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                backends.add(server);
                urls.add("http://127.0.0.1:" + server.getLocalPort());
                Thread thread = new Thread(() -> serve(server, answer));
                thread.setDaemon(true);
                thread.start();
            }
            DroverConfig config = ConfigLoader.load(new ConfigSource(Optional.empty(), Map.of(), urls, all))
                    .config();
            log = AccessLog.open(config.accessLog(), lines -> {});
            cluster = new Membership((b, f, t, r) -> {}).apply(config.backends(), config.health(), System.nanoTime());
            cluster.backends().forEach(b -> b.onResolved(new InetAddress[] {InetAddress.getLoopbackAddress()}));
            ProxyContext context = new ProxyContext(
                    config,
                    cluster,
                    Authentication.OFF,
                    null,
                    null,
                    new BackendContexts(TlsProvider.AUTO),
                    () -> listings,
                    null,
                    new Metrics(config.metrics()),
                    log,
                    AuditLog.open(config.auditLog(), (reason, lines) -> {}));
            EventLoop loop = group.next();
            worker = new Worker(
                    context,
                    loop,
                    new Bootstrap().group(loop).channel(NioSocketChannel.class),
                    PooledByteBufAllocator.DEFAULT);
            listener = new ServerBootstrap()
                    .group(group)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            channel.pipeline().addLast(worker.newClientConnection());
                        }
                    })
                    .bind(InetAddress.getLoopbackAddress(), 0)
                    .sync()
                    .channel();
        }

        static void serve(ServerSocket server, String answer) {
            while (true) {
                try {
                    Socket socket = server.accept();
                    Thread t = new Thread(() -> {
                        try (socket) {
                            InputStream in = socket.getInputStream();
                            byte[] buf = new byte[65536];
                            while (in.read(buf) > 0) {
                                socket.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
                                socket.getOutputStream().flush();
                            }
                        } catch (Exception e) {
                            // over
                        }
                    });
                    t.setDaemon(true);
                    t.start();
                } catch (Exception e) {
                    return;
                }
            }
        }

        Socket connect() throws Exception {
            Socket socket = new Socket();
            socket.connect((InetSocketAddress) listener.localAddress());
            socket.setSoTimeout(5000);
            return socket;
        }

        @Override
        public void close() throws java.io.IOException {
            listener.close().syncUninterruptibly();
            worker.loop().submit(worker::closeAll).syncUninterruptibly();
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
            log.close();
            for (ServerSocket s : backends) {
                s.close();
            }
        }
    }

    private static String readUntil(Socket socket, String end) throws Exception {
        StringBuilder text = new StringBuilder();
        int b;
        while (text.indexOf(end) < 0 && (b = socket.getInputStream().read()) >= 0) {
            text.append((char) b);
        }
        return text.toString();
    }

    @Test
    void nothingFollowsAResponseThatWasAborted() throws Exception {
        try (Rig rig = new Rig("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npartial");
                Socket client = rig.connect()) {
            client.getOutputStream()
                    .write("GET /api/tags HTTP/1.1\r\nHost: h\r\n\r\nGET /health HTTP/1.1\r\nHost: h\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(readUntil(client, "partial")).endsWith("partial");
            rig.worker.loop().submit(rig.worker::closeAll).sync();
            String rest = "";
            try {
                rest = readUntil(client, "never");
            } catch (java.io.IOException e) {
                // a reset is as good
            }
            assertThat(rest).isEmpty();
        }
    }

    @Test
    void listingsThatComeTooLateAreNotWaitedForAndChangeNothing() throws Exception {
        Map<String, String> hasty = Map.of("timeouts.connect", "50ms", "health.active.timeout", "50ms");
        try (Rig rig = new Rig(hasty, "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"done\":true}\n");
                Socket client = rig.connect()) {
            Backend backend = rig.cluster.backends().get(0);
            backend.onModels(Models.UNKNOWN.withListed(Map.of()));
            client.getOutputStream()
                    .write("POST /api/chat HTTP/1.1\r\nHost: h\r\nContent-Length: 13\r\n\r\n{\"model\":\"m\"}"
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(readUntil(client, "}"))
                    .startsWith("HTTP/1.1 404 ")
                    .endsWith("{\"error\":\"model 'm' not found\"}");
            backend.onModels(Models.UNKNOWN);
            rig.listings.complete(null);
            client.getOutputStream()
                    .write("GET /health HTTP/1.1\r\nHost: h\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(readUntil(client, "}")).startsWith("HTTP/1.1 200 ");
            assertThat(backend.inFlight()).isZero();
        }
    }

    @Test
    void anErrorWithAChunkExtensionBehindItIsRetriedAndNothingLeaks() throws Exception {
        String line = "{\"error\":\"llama runner process has terminated\"}\n";
        String bad = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
                + Integer.toHexString(line.length()) + "\r\n" + line + "\r\n0;x\r\n\r\n";
        String good = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"done\":true}\n";
        try (Rig rig = new Rig(bad, good)) {
            for (int i = 0; i < 4; i++) {
                try (Socket client = rig.connect()) {
                    client.getOutputStream()
                            .write(("POST /api/generate HTTP/1.1\r\nHost: h\r\nContent-Length: 13\r\n\r\n"
                                            + "{\"model\":\"m\"}")
                                    .getBytes(StandardCharsets.US_ASCII));
                    assertThat(readUntil(client, "true}\n")).contains("\"done\":true");
                }
            }
        }
    }
}
