package io.drover.tls;

import io.drover.config.DroverConfig.TlsProvider;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import java.util.List;

/** The library that does the cryptography, and what is spoken by it. */
public final class TlsLibrary {
    /** Mozilla's "intermediate" of 2025 without DHE: forward secrecy and AEAD only. */
    private static final List<String> CIPHERS = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    private TlsLibrary() {}

    /** Its name for people. */
    public static String name(TlsProvider wanted) {
        return of(wanted) == SslProvider.JDK ? "JDK" : "BoringSSL";
    }

    static SslContextBuilder configure(SslContextBuilder builder, TlsProvider wanted) {
        return builder.sslProvider(of(wanted))
                .protocols("TLSv1.3", "TLSv1.2")
                .ciphers(CIPHERS, SupportedCipherSuiteFilter.INSTANCE);
    }

    private static SslProvider of(TlsProvider wanted) {
        return wanted == TlsProvider.AUTO && OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK;
    }
}
