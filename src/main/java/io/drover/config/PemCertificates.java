package io.drover.config;

import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * Certificates as they stood in a file when the configuration was read: equal only if that is.
 *
 * @param certificates in the file's order; never empty
 */
public record PemCertificates(Path file, List<X509Certificate> certificates) {
    public PemCertificates {
        certificates = List.copyOf(certificates);
    }

    /** The first one, which a server's own must be (RFC 8446, 4.4.2). */
    public X509Certificate leaf() {
        return certificates.get(0);
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
