package io.drover.tls;

import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.BackendTls;
import io.drover.config.DroverConfig.TlsProvider;
import io.drover.config.PemCertificates;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.NetUtil;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

/**
 * How connections to backends speak TLS: one context for each way to trust, however many backends, loops and probes
 * there are, since Java's own list of authorities takes a moment to read. Any thread.
 */
public final class BackendContexts {
    private final TlsProvider provider;
    private final Map<Trust, SslContext> contexts = new ConcurrentHashMap<>();

    public BackendContexts(TlsProvider provider) {
        this.provider = provider;
    }

    /** @param authorities empty: those that Java trusts */
    private record Trust(boolean verify, List<X509Certificate> authorities) {
        static Trust of(BackendTls tls) {
            return new Trust(
                    tls.verify(),
                    tls.verify()
                            ? tls.caFile().map(PemCertificates::certificates).orElse(List.of())
                            : List.of());
        }
    }

    /** Makes what these need before the first of them is connected to, and forgets what none of them does. */
    public void prepare(Collection<BackendConfig> backends) {
        Set<Trust> needed = backends.stream()
                .filter(BackendConfig::isTls)
                .map(backend -> Trust.of(backend.tls()))
                .collect(Collectors.toSet());
        needed.forEach(trust -> contexts.computeIfAbsent(trust, this::context));
        contexts.keySet().retainAll(needed);
    }

    /** The handler of a connection to a backend: {@code last}, behind TLS where the backend speaks it. */
    public ChannelHandler before(ChannelHandler last, BackendConfig backend) {
        if (!backend.isTls()) {
            return last;
        }
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(newHandler(backend, channel.alloc()), last);
            }
        };
    }

    /** For one connection to a backend that speaks TLS. Waits for its handshake as long as the connection lasts. */
    public SslHandler newHandler(BackendConfig backend, ByteBufAllocator allocator) {
        String host = backend.tls().name().isEmpty()
                ? backend.url().getHost()
                : backend.tls().name();
        // Neither the brackets of IPv6 nor the dot of a complete name stand in certificates (RFC 6066, 3).
        String name = host.replaceAll("^\\[|\\]$|\\.$", "");
        SslContext context = contexts.computeIfAbsent(Trust.of(backend.tls()), this::context);
        SslHandler handler = context.newHandler(allocator, name, backend.port());
        handler.setHandshakeTimeoutMillis(0);
        SSLEngine engine = handler.engine();
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm(backend.tls().verify() ? "HTTPS" : "");
        if (!NetUtil.isValidIpV4Address(name) && !NetUtil.isValidIpV6Address(name)) {
            // By itself it is not sent for names without a dot, as those of containers are.
            parameters.setServerNames(List.of(new SNIHostName(name)));
        }
        engine.setSSLParameters(parameters);
        return handler;
    }

    private SslContext context(Trust trust) {
        SslContextBuilder builder = TlsLibrary.configure(SslContextBuilder.forClient(), provider);
        if (!trust.verify) {
            builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
        } else if (!trust.authorities.isEmpty()) {
            builder.trustManager(trust.authorities);
        }
        try {
            SslContext context = builder.build();
            // Resumed, a session would stand for a certificate that has expired since; and connections are kept.
            if (context.sessionContext() instanceof OpenSslSessionContext sessions) {
                sessions.setSessionCacheEnabled(false);
            } else {
                // Java cannot do without; it forgets what is older.
                context.sessionContext().setSessionTimeout(1);
            }
            return context;
        } catch (SSLException fault) {
            throw new IllegalStateException("a context for TLS to backends", fault);
        }
    }
}
