package io.drover.config;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;

/** A private key as it stood in a file when the configuration was read: RSA or EC. Never prints it. */
public record PemKey(Path file, PrivateKey key) {
    private static final byte[] SAMPLE = {1, 2, 3};

    /** Whether what it signs is what the certificate's key verifies. */
    boolean belongsTo(X509Certificate certificate) {
        String algorithm = key.getAlgorithm();
        if (!algorithm.equals(certificate.getPublicKey().getAlgorithm())) {
            return false;
        }
        try {
            Signature signature = Signature.getInstance("SHA256with" + (algorithm.equals("EC") ? "ECDSA" : algorithm));
            signature.initSign(key);
            signature.update(SAMPLE);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(SAMPLE);
            return signature.verify(signed);
        } catch (GeneralSecurityException another) {
            return false;
        }
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
