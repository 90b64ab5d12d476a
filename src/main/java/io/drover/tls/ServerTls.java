package io.drover.tls;

import io.drover.config.ConfigException;
import io.drover.config.ConfigProblem;
import io.drover.config.DroverConfig.Tls;
import io.drover.config.PemCertificates;
import io.drover.config.PemKey;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;

/** How the proxy port speaks TLS: its certificate and its rules, as of one reading of the configuration. Any thread. */
public final class ServerTls {
    private static final long SESSIONS = 10_000;

    /** What is spoken over it; HTTP/2 will stand before it. */
    private static final ApplicationProtocolConfig PROTOCOLS = new ApplicationProtocolConfig(
            ApplicationProtocolConfig.Protocol.ALPN,
            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
            ApplicationProtocolNames.HTTP_1_1);

    private final SslContext context;

    private ServerTls(SslContext context) {
        this.context = context;
    }

    /**
     * Empty where the port speaks plain HTTP.
     *
     * @throws ConfigException if the library cannot use the certificate or the key, although they can be read
     */
    public static Optional<ServerTls> of(Tls config) throws ConfigException {
        if (config.certificate().isEmpty() || config.key().isEmpty()) {
            return Optional.empty();
        }
        PemCertificates chain = config.certificate().get();
        PemKey key = config.key().get();
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(key.key(), chain.certificates())
                    .applicationProtocolConfig(PROTOCOLS)
                    .sessionCacheSize(SESSIONS)
                    .sessionTimeout(TimeUnit.DAYS.toSeconds(1));
            return Optional.of(new ServerTls(
                    TlsLibrary.configure(builder, config.provider()).build()));
        } catch (SSLException | IllegalArgumentException unusable) {
            throw new ConfigException(List.of(new ConfigProblem(
                    chain.file().toString(),
                    0,
                    "drover.tls.certificate",
                    String.valueOf(unusable.getMessage()),
                    "a certificate and a key that " + TlsLibrary.name(config.provider()) + " can use")));
        }
    }

    /** For one connection. Waits for its handshake as long as the connection lasts. */
    public SslHandler newHandler(ByteBufAllocator allocator) {
        SslHandler handler = context.newHandler(allocator);
        handler.setHandshakeTimeoutMillis(0);
        return handler;
    }
}
