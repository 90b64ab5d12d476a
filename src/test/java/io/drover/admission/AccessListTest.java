package io.drover.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.Cidr;
import io.drover.config.DroverConfig;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which addresses the lists let in. */
class AccessListTest {
    private static AccessList list(List<Cidr> allow, List<Cidr> deny) {
        return new AccessList(new DroverConfig.Access(allow, deny));
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static InetAddress address(String text) {
        return address(Objects.requireNonNull(NetUtil.createByteArrayFromIpAddressString(text)));
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, true",
        "11.1.2.3, false",
        "192.0.2.7, true",
        "192.0.2.6, false",
        "10.66.0.1, false",
        "10.67.0.1, true",
        "::ffff:10.1.2.3, true",
        "2001:db8:0:1:ffff::, true",
        "2001:db8:0:2::, false",
        "2001:db9::, false",
        "fd00::7f, true",
        "fd00::80, false",
        "::a01:203, false"
    })
    void whatIsAllowedAndNotDeniedComesIn(String client, boolean comesIn) {
        AccessList access = list(
                List.of(
                        new Cidr(address("10.0.0.0"), 8),
                        new Cidr(address("192.0.2.7"), 32),
                        new Cidr(address("2001:db8:0:1::"), 64),
                        new Cidr(address("fd00::"), 121)),
                List.of(new Cidr(address("10.66.0.0"), 16)));

        assertThat(access.allows(IpAddress.of(address(client)))).isEqualTo(comesIn);
    }

    @Test
    void withoutListsEverybodyComesIn() {
        assertThat(list(List.of(), List.of()).allows(IpAddress.of(address("10.1.2.3"))))
                .isTrue();
        assertThat(list(List.of(), List.of()).allows(null)).isTrue();
    }

    @Test
    void theWholeOfOneFamilyIsNothingOfTheOther() {
        Cidr all4 = new Cidr(address("0.0.0.0"), 0);
        Cidr all6 = new Cidr(address("::"), 0);
        IpAddress v4 = IpAddress.of(address("10.1.2.3"));
        IpAddress v6 = IpAddress.of(address("2001:db8::1"));

        assertThat(list(List.of(all4), List.of()).allows(v4)).isTrue();
        assertThat(list(List.of(all4), List.of()).allows(v6)).isFalse();
        assertThat(list(List.of(all6), List.of()).allows(v4)).isFalse();
        assertThat(list(List.of(), List.of(all6)).allows(v6)).isFalse();
        assertThat(list(List.of(), List.of(all6)).allows(v4)).isTrue();
    }

    @Test
    void anUnknownAddressIsInNoNetwork() {
        List<Cidr> all = List.of(new Cidr(address("0.0.0.0"), 0));

        assertThat(list(all, List.of()).allows(null)).isFalse();
        assertThat(list(List.of(), all).allows(null)).isTrue();
    }

    /** {@link Cidr} compares byte by byte. */
    @Test
    void masksSayWhatBytesSay() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 20_000; i++) {
            byte[] network = new byte[random.nextBoolean() ? 4 : 16];
            random.nextBytes(network);
            network[0] |= 1; // No mapped address: that would be of the other family.
            byte[] client = network.clone();
            int flipped = random.nextInt(client.length * Byte.SIZE);
            client[flipped / Byte.SIZE] ^= (byte) (0x80 >> (flipped % Byte.SIZE));
            Cidr cidr = new Cidr(address(network), random.nextInt(client.length * Byte.SIZE + 1));

            assertThat(list(List.of(cidr), List.of()).allows(IpAddress.of(address(client))))
                    .as("%s in %s", address(client), cidr)
                    .isEqualTo(cidr.contains(address(client)));
        }
    }
}
