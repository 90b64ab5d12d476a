package io.drover.config;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads PEM files (RFC 7468) where a key names one, so that what is wrong in them is told with the key. */
final class Pem {
    /** The certificates of a file; empty: no file. */
    static final Kind<Optional<PemCertificates>> CERTIFICATES = value -> {
        Optional<Path> file = Kind.FILE.read(value);
        return file.isEmpty()
                ? Optional.empty()
                : Optional.of(new PemCertificates(file.get(), certificates(text(file.get()))));
    };

    /** The private key of a file; empty: no file. */
    static final Kind<Optional<PemKey>> KEY = value -> {
        Optional<Path> file = Kind.FILE.read(value);
        return file.isEmpty() ? Optional.empty() : Optional.of(new PemKey(file.get(), key(text(file.get()))));
    };

    private static final Pattern CERTIFICATE_BEGINS = Pattern.compile("-----BEGIN CERTIFICATE-----");
    private static final Pattern CERTIFICATE = block("CERTIFICATE");
    private static final Pattern PKCS8 = block("PRIVATE KEY");
    private static final Pattern PKCS1 = block("RSA PRIVATE KEY");
    private static final Pattern SEC1 = block("EC PRIVATE KEY");
    private static final Pattern ENCRYPTED =
            Pattern.compile("-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: *4, *ENCRYPTED");

    private static final byte[] VERSION_0 = HexFormat.of().parseHex("020100");
    private static final byte[] RSA_ENCRYPTION = HexFormat.of().parseHex("300d06092a864886f70d0101010500");
    private static final byte[] EC_PUBLIC_KEY = HexFormat.of().parseHex("06072a8648ce3d0201");

    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 0x04;
    private static final int PARAMETERS = 0xa0;

    private Pem() {}

    private static Pattern block(String label) {
        return Pattern.compile("-----BEGIN " + label + "-----([A-Za-z0-9+/=\\s]+)-----END " + label + "-----");
    }

    private static String text(Path file) throws WrongValueException {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException unreadable) {
            throw new WrongValueException("a readable file");
        }
    }

    private static List<X509Certificate> certificates(String text) throws WrongValueException {
        List<X509Certificate> found = new ArrayList<>();
        Matcher block = CERTIFICATE.matcher(text);
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            while (block.find()) {
                found.add((X509Certificate)
                        factory.generateCertificate(new ByteArrayInputStream(decode(block.group(1)))));
            }
        } catch (CertificateException malformed) {
            throw new WrongValueException(
                    "a PEM file of certificates; number " + (found.size() + 1) + " in it cannot be read");
        }
        long begun = CERTIFICATE_BEGINS.matcher(text).results().count();
        if (begun == 0) {
            throw new WrongValueException("a PEM file with -----BEGIN CERTIFICATE----- in it");
        }
        if (found.size() < begun) {
            // Such as a file that is just being written: without the rest of the chain many a client trusts nobody.
            throw new WrongValueException("a PEM file of certificates; one in it is not whole");
        }
        return found;
    }

    private static PrivateKey key(String text) throws WrongValueException {
        if (ENCRYPTED.matcher(text).find()) {
            throw new WrongValueException("a key without a password, as openssl pkcs8 -topk8 -nocrypt makes of it");
        }
        byte[] pkcs8;
        Matcher block = PKCS8.matcher(text);
        Matcher rsa = PKCS1.matcher(text);
        Matcher ec = SEC1.matcher(text);
        if (block.find()) {
            pkcs8 = decode(block.group(1));
        } else if (rsa.find()) {
            pkcs8 = pkcs8(RSA_ENCRYPTION, decode(rsa.group(1)));
        } else if (ec.find()) {
            byte[] key = decode(ec.group(1));
            pkcs8 = pkcs8(sequence(EC_PUBLIC_KEY, curve(key)), key);
        } else {
            throw new WrongValueException("a PEM file with -----BEGIN PRIVATE KEY----- in it");
        }
        PrivateKey key = key("RSA", pkcs8);
        key = key == null ? key("EC", pkcs8) : key;
        if (key == null) {
            throw new WrongValueException("a whole RSA or EC key");
        }
        return key;
    }

    private static @Nullable PrivateKey key(String algorithm, byte[] pkcs8) {
        try {
            return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (GeneralSecurityException another) {
            return null;
        }
    }

    private static byte[] decode(String base64) throws WrongValueException {
        try {
            return Base64.getMimeDecoder().decode(base64);
        } catch (IllegalArgumentException malformed) {
            throw new WrongValueException("a PEM file; what is in it is not Base64");
        }
    }

    /** The older forms of keys are the inside of the newer one (RFC 5208, RFC 5915). */
    private static byte[] pkcs8(byte[] algorithm, byte[] key) {
        return sequence(VERSION_0, algorithm, element(OCTETS, key));
    }

    /** The curve's name, which an EC key of the older form has among its fields. */
    private static byte[] curve(byte[] key) throws WrongValueException {
        try {
            ByteBuffer in = ByteBuffer.wrap(key);
            in.get();
            length(in);
            while (in.hasRemaining()) {
                int tag = in.get() & 0xff;
                byte[] content = new byte[length(in)];
                in.get(content);
                if (tag == PARAMETERS) {
                    return content;
                }
            }
        } catch (RuntimeException outOfBounds) {
            throw new WrongValueException("a whole RSA or EC key");
        }
        throw new WrongValueException("an EC key that names its curve");
    }

    private static int length(ByteBuffer in) {
        int first = in.get() & 0xff;
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = first & 0x7f; i > 0; i--) {
            length = (length << Byte.SIZE) | (in.get() & 0xff);
        }
        return length;
    }

    private static byte[] sequence(byte[]... parts) {
        int size = 0;
        for (byte[] part : parts) {
            size += part.length;
        }
        ByteBuffer all = ByteBuffer.allocate(size);
        for (byte[] part : parts) {
            all.put(part);
        }
        return element(SEQUENCE, all.array());
    }

    /** Of less than 64 KiB, as every key is. */
    private static byte[] element(int tag, byte[] content) {
        int size = content.length;
        int lengthBytes = size < 0x80 ? 0 : size < 0x100 ? 1 : 2;
        ByteBuffer out = ByteBuffer.allocate(2 + lengthBytes + size);
        out.put((byte) tag);
        if (lengthBytes > 0) {
            out.put((byte) (0x80 | lengthBytes));
        }
        if (lengthBytes == 2) {
            out.put((byte) (size >> Byte.SIZE));
        }
        return out.put((byte) size).put(content).array();
    }
}
