package io.drover.proxy;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import io.netty.handler.codec.haproxy.HAProxyProxiedProtocol;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the header of the PROXY protocol, version 1 or 2, from the start of a connection, and tells who is behind it as
 * an event, a {@link Peer}, where whoever sent it is trusted. Goes before TLS and HTTP is looked at; a connection that
 * begins with anything else ends at once. Its deadline is the connection's own for the first request.
 *
 * <p>Belongs to one connection.
 */
final class PeerHeader extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(PeerHeader.class);

    /** Most bytes of what version 2 may carry besides addresses: with these the header has the 4 KiB of Nginx. */
    private static final int MAX_EXTENSIONS = 4096 - 232;

    private final Worker worker;
    private boolean refused;

    private PeerHeader(Worker worker) {
        this.worker = worker;
    }

    /** Puts it where the next handler that is added finds nothing of the header any more. */
    static void addTo(ChannelPipeline pipeline, Worker worker) {
        pipeline.addLast(new HAProxyMessageDecoder(MAX_EXTENSIONS), new PeerHeader(worker));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        // The decoder leaves by itself, and what follows the header comes only then.
        if (refused || !(message instanceof HAProxyMessage header)) {
            ReferenceCountUtil.release(message);
            return;
        }
        try {
            InetAddress source = source(header);
            Peer sender = Peer.of(context.channel().remoteAddress());
            var trusted = worker.context().config().limits().trustedProxies();
            if (source != null && ClientAddress.isTrusted(sender.address(), trusted)) {
                context.fireUserEventTriggered(Peer.of(source));
            }
        } finally {
            header.release();
        }
        context.pipeline().remove(this);
    }

    /** Null for a health check of the sender's own (LOCAL), and for what is no TCP over IP. */
    private static @Nullable InetAddress source(HAProxyMessage header) {
        HAProxyProxiedProtocol protocol = header.proxiedProtocol();
        String address = header.sourceAddress();
        boolean tcp = protocol == HAProxyProxiedProtocol.TCP4 || protocol == HAProxyProxiedProtocol.TCP6;
        return tcp && address != null ? ClientAddress.parse(address) : null;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof DecoderException)) {
            context.fireExceptionCaught(cause);
            return;
        }
        if (!refused) {
            refused = true;
            worker.context().metrics().onPeerHeaderRefused();
            LOG.debug(
                    "{} does not begin with a header of the PROXY protocol (proxy-protocol = true): {}",
                    context.channel().remoteAddress(),
                    cause.getMessage());
            context.close();
        }
    }
}
