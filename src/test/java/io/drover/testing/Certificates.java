package io.drover.testing;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/** An authority of the tests' own, and what it vouches for. */
public final class Certificates {
    private static final X509Bundle AUTHORITY = built(() -> new CertificateBuilder()
            .subject("CN=authority of tests")
            .setIsCertificateAuthority(true)
            .ecp256()
            .buildSelfSigned());

    private Certificates() {}

    private interface Build {
        X509Bundle run() throws Exception;
    }

    private static X509Bundle built(Build build) {
        try {
            return build.run();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static CertificateBuilder builder() {
        return new CertificateBuilder()
                .subject("CN=drover.test")
                .addSanDnsName("localhost")
                .addSanIpAddress("127.0.0.1")
                .addExtendedKeyUsageServerAuth()
                .ecp256();
    }

    /** For localhost and 127.0.0.1, vouched for by the authority. */
    public static X509Bundle good() {
        return issued(change -> change);
    }

    /** As {@link #good}, changed. */
    public static X509Bundle issued(UnaryOperator<CertificateBuilder> change) {
        return built(() -> change.apply(builder()).buildIssuedBy(AUTHORITY));
    }

    /** For localhost and 127.0.0.1, vouched for by nobody else. */
    public static X509Bundle selfSigned() {
        return built(() -> builder().setIsCertificateAuthority(true).buildSelfSigned());
    }

    /** A server's. */
    public static SSLContext server(X509Bundle own) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(own.toKeyManagerFactory().getKeyManagers(), null, null);
            return context;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** A client's that trusts the authority. */
    public static SSLContext client() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {AUTHORITY.toTrustManager()}, null);
            return context;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Writes {@code certificate.pem} and {@code key.pem} into a directory. */
    public static void write(X509Bundle own, Path directory) throws IOException {
        Files.writeString(directory.resolve("certificate.pem"), own.getCertificatePathPEM());
        Files.writeString(directory.resolve("key.pem"), own.getPrivateKeyPEM());
    }

    /** Writes the authority's certificate. */
    public static Path writeAuthority(Path file) throws IOException {
        return Files.writeString(file, AUTHORITY.getCertificatePEM());
    }
}
