package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.testing.Await;
import io.netty.handler.codec.dns.DnsResponseCode;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Backends from SRV records. */
@Timeout(60)
class ServiceDiscoveryTest extends DiscoveryRig {
    @Test
    void aServiceTellsPortsWeightsAndBackups() {
        dns.srv(
                SERVICE,
                StubDns.record(20, 5, 11434, "spare.test"),
                StubDns.record(10, 0, 11435, "small.test"),
                StubDns.record(10, 60, 11434, "Large.test"),
                StubDns.record(30, 1, 11434, "last.test"));
        dns.a("large.test", "10.0.0.2", "10.0.0.1");
        dns.aaaa("small.test", "fd00::3");
        dns.a("spare.test", "10.0.0.4");
        dns.a("last.test", "10.0.0.5");

        discover(SERVICE);

        Await.until("found", SOON, () -> !heard.sets.isEmpty());
        assertThat(heard.last())
                .containsExactly(
                        new Found(at("10.0.0.1", 11434), "large.test", 60, false),
                        new Found(at("10.0.0.2", 11434), "large.test", 60, false),
                        new Found(at("fd00::3", 11435), "small.test", 1, false),
                        new Found(at("10.0.0.4", 11434), "spare.test", 5, true),
                        new Found(at("10.0.0.5", 11434), "last.test", 1, true));
        assertThat(heard.troubles).isEmpty();
    }

    @Test
    void ofHostsThatShareAnAddressThePrimaryHasIt() {
        dns.srv(SERVICE, StubDns.record(2, 1, 80, "a.test"), StubDns.record(1, 1, 80, "b.test"));
        dns.a("a.test", "10.0.0.1");
        dns.a("b.test", "10.0.0.1");

        discover(SERVICE);

        Await.until("found", SOON, () -> !heard.sets.isEmpty());
        assertThat(heard.last()).containsExactly(new Found(at("10.0.0.1", 80), "b.test", 1, false));
    }

    @Test
    void aServicesHostMayBeACompressedName() {
        // RFC 1035, 4.1.4: what follows "gpu1" stands at byte 12, where the question is.
        byte[] compressed = {4, 'g', 'p', 'u', '1', (byte) 0xc0, 12};
        dns.srv(SERVICE, StubDns.record(1, 1, 80, compressed));
        dns.a("gpu1." + SERVICE, "10.0.0.1");

        discover(SERVICE);

        heard.awaitAll("10.0.0.1:80");
    }

    @Test
    void aServiceOfManyHosts() {
        dns.srv(
                SERVICE,
                IntStream.range(0, 60)
                        .mapToObj(i -> StubDns.record(1, 1, 80 + i % 2, "gpu" + i / 2 + ".test"))
                        .toArray(byte[][]::new));
        IntStream.range(0, 30).forEach(i -> dns.a("gpu" + i + ".test", "10.0.0." + i));

        discover(SERVICE);

        heard.awaitAll(IntStream.range(0, 60)
                .mapToObj(i -> "10.0.0." + i / 2 + ":" + (80 + i % 2))
                .toArray(String[]::new));
        assertThat(heard.troubles).isEmpty();
    }

    @Test
    void aServicesHostThatIsGoneIsRemovedUnlessItIsTheLast() {
        dns.srv(SERVICE, StubDns.record(1, 1, 80, "a.test"), StubDns.record(1, 1, 80, "b.test"));
        dns.a("a.test", "10.0.0.1");
        dns.a("b.test", "10.0.0.2");
        discover(SERVICE);
        heard.awaitAll("10.0.0.1:80", "10.0.0.2:80");

        dns.forget("a.test");
        heard.awaitAll("10.0.0.2:80");
        assertThat(heard.troubles).isEmpty();

        dns.forget("b.test");
        heard.awaitTrouble("failed: A of a.test.: no such name");
        awaitLookUps(5);
        assertThat(heard.sets).hasSize(2);
    }

    @Test
    void aServicesHostThatFailsKeepsItsAddresses() {
        dns.srv(SERVICE, StubDns.record(1, 1, 80, "a.test"), StubDns.record(1, 1, 80, "b.test"));
        dns.a("a.test", "10.0.0.1");
        dns.a("b.test", "10.0.0.2");
        discover(SERVICE);
        heard.awaitAll("10.0.0.1:80", "10.0.0.2:80");

        dns.fail("a.test", A, DnsResponseCode.SERVFAIL);
        dns.a("b.test", "10.0.0.3");
        heard.awaitAll("10.0.0.1:80", "10.0.0.3:80");
        heard.awaitTroubles("failed: A of a.test.: ServFail(2) from 127.0.0.1");

        dns.srv(SERVICE, StubDns.record(1, 1, 80, "b.test"));
        heard.awaitAll("10.0.0.3:80");
        heard.awaitTrouble("recovered");
    }

    @Test
    void aServiceThatFailsKeepsItsBackends() {
        dns.srv(SERVICE, StubDns.record(1, 1, 80, "a.test"));
        dns.a("a.test", "10.0.0.1");
        discover(SERVICE);
        heard.awaitAll("10.0.0.1:80");

        dns.fail(SERVICE, SRV, DnsResponseCode.SERVFAIL);
        heard.awaitTrouble("failed: SRV of _ollama._tcp.test.: ServFail(2) from 127.0.0.1");
        dns.srv(SERVICE, StubDns.record(1, 1, 80, "."));
        awaitLookUps(5);
        dns.srv(SERVICE, new byte[] {0, 1, 0});
        awaitLookUps(5);
        assertThat(heard.sets).hasSize(1);
        assertThat(heard.troubles).hasSize(1);

        dns.srv(SERVICE, StubDns.record(1, 2, 80, "a.test"));
        heard.awaitTrouble("recovered");
        Await.until("the new weight", SOON, () -> heard.last().get(0).weight() == 2);
    }

    @Test
    void aServiceThatIsDeclaredUnavailableIsToldAsSuch() {
        dns.srv(SERVICE, StubDns.record(0, 0, 0, "."));
        discover(SERVICE);

        heard.awaitTrouble("failed: _ollama._tcp.test: service declared unavailable");
    }

    @Test
    void aMalformedAnswerIsAFailure() {
        dns.srv(SERVICE, new byte[] {0, 1, 0});
        discover(SERVICE);

        heard.awaitTrouble("failed: SRV of _ollama._tcp.test.: malformed answer of 127.0.0.1");
    }

    @Test
    void aServicesHostIsNotSearchedFor() {
        search = SearchList.parse(List.of("search corp.test", "options ndots:5"));
        dns.srv(SERVICE, StubDns.record(1, 1, 80, "a.test"));
        dns.a("a.test", "10.0.0.1");
        dns.a("a.test.corp.test", "10.0.0.66");

        discover(SERVICE);

        heard.awaitAll("10.0.0.1:80");
    }
}
