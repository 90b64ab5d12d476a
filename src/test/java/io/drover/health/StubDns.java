package io.drover.health;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.dns.DatagramDnsQuery;
import io.netty.handler.codec.dns.DatagramDnsQueryDecoder;
import io.netty.handler.codec.dns.DatagramDnsResponse;
import io.netty.handler.codec.dns.DatagramDnsResponseEncoder;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DefaultDnsRawRecord;
import io.netty.handler.codec.dns.DefaultDnsResponse;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import io.netty.handler.codec.dns.TcpDnsQueryDecoder;
import io.netty.handler.codec.dns.TcpDnsResponseEncoder;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A name server on loopback, by UDP and TCP at one port, that says what a test tells it to. */
final class StubDns implements AutoCloseable {
    /** Records that a datagram takes; with more it is cut off there. */
    static final int MAX_BY_UDP = 20;

    private static final int MAX_PORTS = 100;

    private record Reply(DnsResponseCode code, boolean silent, List<byte[]> contents) {}

    private final Map<DnsQuestion, Reply> replies = new ConcurrentHashMap<>();
    private final Map<DnsQuestion, AtomicInteger> asked = new ConcurrentHashMap<>();
    private final AtomicInteger askedByTcp = new AtomicInteger();
    private final Channel udp;
    private final Channel tcp;

    StubDns(EventLoop loop) {
        ChannelFuture byUdp = bindUdp(loop);
        ChannelFuture byTcp = bindTcp(loop, byUdp);
        // A port that is free for UDP may be taken for TCP.
        for (int tries = 1; !byTcp.isSuccess() && tries < MAX_PORTS; tries++) {
            byUdp.channel().close().syncUninterruptibly();
            byUdp = bindUdp(loop);
            byTcp = bindTcp(loop, byUdp);
        }
        udp = byUdp.channel();
        tcp = byTcp.syncUninterruptibly().channel();
    }

    private ChannelFuture bindUdp(EventLoop loop) {
        return new Bootstrap()
                .group(loop)
                .channel(NioDatagramChannel.class)
                .handler(new ChannelInitializer<NioDatagramChannel>() {
                    @Override
                    protected void initChannel(NioDatagramChannel channel) {
                        channel.pipeline()
                                .addLast(new DatagramDnsQueryDecoder(), new DatagramDnsResponseEncoder(), new ByUdp());
                    }
                })
                .bind("127.0.0.1", 0)
                .syncUninterruptibly();
    }

    private ChannelFuture bindTcp(EventLoop loop, ChannelFuture byUdp) {
        return new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(new TcpDnsQueryDecoder(), new TcpDnsResponseEncoder(), new ByTcp());
                    }
                })
                .bind(byUdp.channel().localAddress())
                .awaitUninterruptibly();
    }

    InetSocketAddress address() {
        return (InetSocketAddress) udp.localAddress();
    }

    /** From now on these are the name's IPv4 addresses; none: an empty answer. */
    void a(String name, String... addresses) {
        records(name, DnsRecordType.A, bytes(addresses));
    }

    /** From now on these are the name's IPv6 addresses; none: an empty answer. */
    void aaaa(String name, String... addresses) {
        records(name, DnsRecordType.AAAA, bytes(addresses));
    }

    /** From now on these are the name's records. */
    void srv(String name, byte[]... records) {
        records(name, DnsRecordType.SRV, List.of(records));
    }

    static byte[] record(int priority, int weight, int port, String target) {
        ByteBuf name = Unpooled.buffer();
        for (String label : target.split("\\.", -1)) {
            if (!label.isEmpty()) {
                name.writeByte(label.length()).writeCharSequence(label, StandardCharsets.US_ASCII);
            }
        }
        name.writeByte(0);
        byte[] bytes = new byte[name.readableBytes()];
        name.readBytes(bytes);
        return record(priority, weight, port, bytes);
    }

    static byte[] record(int priority, int weight, int port, byte[] target) {
        return Unpooled.buffer(6 + target.length, 6 + target.length)
                .writeShort(priority)
                .writeShort(weight)
                .writeShort(port)
                .writeBytes(target)
                .array();
    }

    void fail(String name, DnsRecordType type, DnsResponseCode code) {
        replies.put(new DefaultDnsQuestion(name, type), new Reply(code, false, List.of()));
    }

    void ignore(String name, DnsRecordType type) {
        replies.put(new DefaultDnsQuestion(name, type), new Reply(DnsResponseCode.NOERROR, true, List.of()));
    }

    /** From now on there is no such name: NXDOMAIN, as for every other of which nothing was said. */
    void forget(String name) {
        for (DnsRecordType type : List.of(DnsRecordType.A, DnsRecordType.AAAA, DnsRecordType.SRV)) {
            replies.remove(new DefaultDnsQuestion(name, type));
        }
    }

    int asked(String name, DnsRecordType type) {
        return count(new DefaultDnsQuestion(name, type)).get();
    }

    int askedByTcp() {
        return askedByTcp.get();
    }

    /** All questions so far. */
    int asked() {
        return asked.values().stream().mapToInt(AtomicInteger::get).sum();
    }

    void closeTcp() {
        tcp.close().syncUninterruptibly();
    }

    @Override
    public void close() {
        udp.close().syncUninterruptibly();
        closeTcp();
    }

    private void records(String name, DnsRecordType type, List<byte[]> contents) {
        replies.put(new DefaultDnsQuestion(name, type), new Reply(DnsResponseCode.NOERROR, false, contents));
    }

    private static List<byte[]> bytes(String... addresses) {
        return Stream.of(addresses)
                .map(text -> Objects.requireNonNull(NetUtil.createByteArrayFromIpAddressString(text)))
                .toList();
    }

    private AtomicInteger count(DnsQuestion question) {
        return asked.computeIfAbsent(question, any -> new AtomicInteger());
    }

    /** Null where none is to be sent. */
    private <R extends DnsResponse> @Nullable R reply(DnsQuery query, R response, int maxRecords) {
        DnsQuestion question = query.recordAt(DnsSection.QUESTION);
        count(question).incrementAndGet();
        boolean known = replies.keySet().stream().anyMatch(any -> any.name().equals(question.name()));
        Reply reply = replies.getOrDefault(
                question, new Reply(known ? DnsResponseCode.NOERROR : DnsResponseCode.NXDOMAIN, false, List.of()));
        if (reply.silent()) {
            response.release();
            return null;
        }
        response.setCode(reply.code()).setTruncated(reply.contents().size() > maxRecords);
        response.addRecord(DnsSection.QUESTION, question);
        for (byte[] content : reply.contents().stream().limit(maxRecords).toList()) {
            DnsRecord record =
                    new DefaultDnsRawRecord(question.name(), question.type(), 3600, Unpooled.wrappedBuffer(content));
            response.addRecord(DnsSection.ANSWER, record);
        }
        return response;
    }

    private final class ByUdp extends SimpleChannelInboundHandler<DatagramDnsQuery> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, DatagramDnsQuery query) {
            DatagramDnsResponse response = reply(
                    query,
                    new DatagramDnsResponse(
                            /* sender= */ query.recipient(), /* recipient= */ query.sender(), query.id()),
                    MAX_BY_UDP);
            if (response != null) {
                context.writeAndFlush(response);
            }
        }
    }

    private final class ByTcp extends SimpleChannelInboundHandler<DnsQuery> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, DnsQuery query) {
            askedByTcp.incrementAndGet();
            DnsResponse response = reply(query, new DefaultDnsResponse(query.id()), Integer.MAX_VALUE);
            if (response != null) {
                context.writeAndFlush(response);
            }
        }
    }
}
