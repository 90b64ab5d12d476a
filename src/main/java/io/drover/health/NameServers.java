package io.drover.health;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AddressedEnvelope;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverChannelStrategy;
import io.netty.resolver.dns.DnsNameResolverTimeoutException;
import io.netty.resolver.dns.DnsServerAddressStream;
import io.netty.resolver.dns.DnsServerAddressStreamProvider;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The name servers, asked one question at a time: the first server that knows decides, and all of them are tried twice,
 * since a datagram may be lost. Nothing is remembered.
 *
 * <p>Netty's resolver does the transport: sockets, ids, time-outs, TCP where a datagram was too small. Its look-up of
 * whole names is not used, because it takes a failure of one record type for "has none of these", takes a truncated
 * answer for the whole one when TCP fails, and tells REFUSED and "no such record" by the same exception: any of these
 * would remove backends because of a fault of a name server.
 *
 * <p>Belongs to one event loop: asked there, answers there.
 */
final class NameServers implements AutoCloseable {
    private static final int ROUNDS = 2;

    /** What crosses every link unfragmented (DNS flag day 2020); what is larger comes by TCP. */
    private static final int MAX_DATAGRAM_BYTES = 1232;

    /** Makes one record's content into what is wanted. */
    @FunctionalInterface
    interface Decoder<T> {
        /** Reads from {@code content}, which stays the caller's; any exception means that it is malformed. */
        T decode(ByteBuf content) throws Exception;
    }

    private final DnsServerAddressStreamProvider servers;
    private final DnsNameResolver transport;
    private final Duration timeout;

    /**
     * @param loop one of NIO; it stays the caller's
     * @param timeout of one question to one server
     */
    NameServers(EventLoop loop, DnsServerAddressStreamProvider servers, Duration timeout) {
        this.servers = servers;
        this.timeout = timeout;
        transport = new DnsNameResolverBuilder(loop)
                .datagramChannelType(NioDatagramChannel.class)
                .socketChannelType(NioSocketChannel.class)
                // A port of its own for each question is one more thing that a forger has to guess (RFC 5452).
                .datagramChannelStrategy(DnsNameResolverChannelStrategy.ChannelPerResolution)
                .maxPayloadSize(MAX_DATAGRAM_BYTES)
                .queryTimeoutMillis(timeout.toMillis())
                .build();
    }

    /**
     * Asks for the records of one type.
     *
     * @param name complete: no domain is searched
     * @return never fails; completes on the event loop, maybe at once
     */
    <T> CompletableFuture<Answer<T>> ask(String name, DnsRecordType type, Decoder<T> decoder) {
        DnsQuestion question;
        try {
            question = new DefaultDnsQuestion(name, type);
        } catch (IllegalArgumentException malformed) {
            return CompletableFuture.completedFuture(Answer.none(name + ": no name that could exist"));
        }
        DnsServerAddressStream stream = servers.nameServerAddressStream(name);
        CompletableFuture<Answer<T>> answer = new CompletableFuture<>();
        ask(question, stream, stream.size() * ROUNDS, decoder, answer);
        return answer;
    }

    private <T> void ask(
            DnsQuestion question,
            DnsServerAddressStream stream,
            int tries,
            Decoder<T> decoder,
            CompletableFuture<Answer<T>> answer) {
        InetSocketAddress server = stream.next();
        transport
                .query(server, question)
                .addListener((Future<AddressedEnvelope<DnsResponse, InetSocketAddress>> reply) -> {
                    Answer<T> read = read(question, server, reply, decoder);
                    if (read.known() || tries <= 1) {
                        answer.complete(read);
                    } else {
                        ask(question, stream, tries - 1, decoder, answer);
                    }
                });
    }

    private <T> Answer<T> read(
            DnsQuestion question,
            InetSocketAddress server,
            Future<AddressedEnvelope<DnsResponse, InetSocketAddress>> reply,
            Decoder<T> decoder) {
        String what = question.type().name() + " of " + question.name() + ": ";
        if (!reply.isSuccess()) {
            return Answer.unknown(what + reason(reply.cause(), server));
        }
        AddressedEnvelope<DnsResponse, InetSocketAddress> envelope = reply.getNow();
        try {
            DnsResponse response = envelope.content();
            if (response.code().equals(DnsResponseCode.NXDOMAIN)) {
                return Answer.none(what + "no such name");
            }
            if (!response.code().equals(DnsResponseCode.NOERROR)) {
                return Answer.unknown(what + response.code() + " from " + text(server));
            }
            if (response.isTruncated()) {
                return Answer.unknown(what + "answer of " + text(server) + " cut off, and not to be had by TCP");
            }
            List<T> records = records(response, question.type(), decoder);
            return records.isEmpty() ? Answer.none(what + "no such record") : Answer.of(records);
        } catch (Exception malformed) {
            return Answer.unknown(what + "malformed answer of " + text(server));
        } finally {
            envelope.release();
        }
    }

    /** Those of the type asked for; in front of them there may be the aliases (CNAME) that led to them. */
    private static <T> List<T> records(DnsResponse response, DnsRecordType type, Decoder<T> decoder) throws Exception {
        List<T> records = new ArrayList<>();
        for (int i = 0; i < response.count(DnsSection.ANSWER); i++) {
            DnsRecord record = response.recordAt(DnsSection.ANSWER, i);
            if (record.type().equals(type)
                    && record.dnsClass() == DnsRecord.CLASS_IN
                    && record instanceof DnsRawRecord raw) {
                records.add(decoder.decode(raw.content()));
            }
        }
        return List.copyOf(records);
    }

    private String reason(Throwable cause, InetSocketAddress server) {
        if (cause instanceof DnsNameResolverTimeoutException) {
            return "no answer from " + text(server) + " in " + timeout.toMillis() + " ms";
        }
        Throwable root = cause.getCause() == null ? cause : cause.getCause();
        return text(server) + " not reached (" + root + ")";
    }

    private static String text(InetSocketAddress server) {
        return server.getAddress() == null
                ? server.getHostString()
                : server.getAddress().getHostAddress();
    }

    /** Asks no more. What is under way ends by its time-out. */
    @Override
    public void close() {
        transport.close();
    }
}
