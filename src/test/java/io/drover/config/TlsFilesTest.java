package io.drover.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Certificates;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.interfaces.RSAPrivateCrtKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of certificates and keys, and what is said of those that cannot be used. */
class TlsFilesTest {
    @TempDir
    private Path directory = Path.of("");

    private Loading loading = new Loading(Path.of(""));

    @BeforeEach
    void write() throws IOException {
        loading = new Loading(directory);
        Certificates.write(Certificates.good(), directory);
    }

    private Loading both() {
        return loading.file(Loading.ONE_BACKEND + "drover.tls { certificate = \"" + directory
                + "/certificate.pem\"\n key = \"" + directory + "/key.pem\" }");
    }

    private String problem() {
        List<String> problems = both().problems();
        assertThat(problems).hasSize(1);
        return problems.get(0);
    }

    @Test
    void aCertificateAndItsKeyAreRead() throws ConfigException {
        DroverConfig.Tls tls = both().config().tls();

        assertThat(tls.isOn()).isTrue();
        assertThat(tls.toString()).doesNotContain("BEGIN").doesNotContain("PrivateKey");
        assertThat(both().config().tls()).isEqualTo(tls);
    }

    @Test
    void otherContentIsAnotherConfiguration() throws Exception {
        DroverConfig.Tls before = both().config().tls();

        Certificates.write(Certificates.good(), directory);

        assertThat(both().config().tls()).isNotEqualTo(before);
    }

    @Test
    void whatIsWrongWithAFileIsSaid() throws IOException {
        loading.write("certificate.pem", "no PEM");
        assertThat(problem())
                .isEqualTo("drover.conf:2: drover.tls.certificate: \"certificate.pem\" (expected: a PEM file with"
                        + " -----BEGIN CERTIFICATE----- in it)");
        loading.write("certificate.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
        assertThat(problem()).endsWith("(expected: a PEM file of certificates; number 1 in it cannot be read)");
        String good = Certificates.good().getCertificatePEM();
        loading.write("certificate.pem", good + good.substring(0, good.length() / 2));
        assertThat(problem()).endsWith("(expected: a PEM file of certificates; one in it is not whole)");
        loading.write("certificate.pem", good + good.replace("MII", "M?I"));
        assertThat(problem()).endsWith("(expected: a PEM file of certificates; one in it is not whole)");
        Files.delete(directory.resolve("certificate.pem"));
        assertThat(problem()).endsWith("(expected: a readable file)");
    }

    @Test
    void whatIsWrongWithAKeyIsSaid() {
        loading.write("key.pem", Certificates.good().getPrivateKeyPEM());
        assertThat(problem())
                .isEqualTo("drover.conf:3: drover.tls.key: \"key.pem\" (expected: the key of the first certificate in"
                        + " drover.tls.certificate)");
        loading.write("key.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----");
        assertThat(problem())
                .endsWith("(expected: a key without a password, as openssl pkcs8 -topk8 -nocrypt makes of it)");
        loading.write("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----");
        assertThat(problem()).endsWith("(expected: a whole RSA or EC key)");
        loading.write("key.pem", "nothing");
        assertThat(problem()).endsWith("(expected: a PEM file with -----BEGIN PRIVATE KEY----- in it)");
    }

    @Test
    void oneWithoutTheOtherIsNotEnough() {
        assertThat(loading.file(Loading.ONE_BACKEND + "drover.tls.key = \"" + directory + "/key.pem\"")
                        .problems())
                .containsExactly(
                        "drover.conf:2: drover.tls.key: \"key.pem\" (expected: drover.tls.certificate beside it)");
    }

    @Test
    void anExpiredCertificateWarns() throws Exception {
        Instant end = Instant.now().minus(Duration.ofDays(1));
        X509Bundle expired = Certificates.issued(
                builder -> builder.notBefore(end.minus(Duration.ofDays(9))).notAfter(end));
        Certificates.write(expired, directory);

        assertThat(both().warnings()).singleElement().asString().contains("this one expired at ");
    }

    @Test
    void anUnverifiedBackendWarns() throws ConfigException {
        assertThat(loading.file("drover.backends = [{ url = \"https://gpu1\", tls.verify = false }]")
                        .warnings())
                .singleElement()
                .asString()
                .contains("anybody on the way there can pose as this server");
    }

    @Test
    void httpsHasItsPort() throws ConfigException {
        DroverConfig.BackendConfig backend =
                loading.backends("https://gpu1").config().backends().get(0);

        assertThat(backend.port()).isEqualTo(443);
        assertThat(backend.name()).isEqualTo("gpu1:443");
    }

    @Test
    void theOlderFormsOfKeysAreRead() throws Exception {
        X509Bundle rsa = Certificates.issued(builder -> builder.rsa2048());
        Certificates.write(rsa, directory);
        byte[] pkcs8 = ((RSAPrivateCrtKey) rsa.getKeyPair().getPrivate()).getEncoded();
        // Of 2048 bits the inner key stands behind 26 bytes.
        loading.write("key.pem", pem("RSA PRIVATE KEY", Arrays.copyOfRange(pkcs8, 26, pkcs8.length)));

        assertThat(both().config().tls().isOn()).isTrue();
    }

    private static String pem(String label, byte[] content) {
        String base64 = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(content);
        return "-----BEGIN " + label + "-----\n" + base64 + "\n-----END " + label + "-----\n";
    }
}
