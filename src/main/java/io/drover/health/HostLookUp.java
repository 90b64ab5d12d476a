package io.drover.health;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.resolver.HostsFileEntriesProvider;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/**
 * Finds a host's addresses as the system would: an address as text is itself, then comes the hosts file, then the name
 * servers with the domains to search. Belongs to the event loop of its {@link NameServers}.
 */
final class HostLookUp {
    private final NameServers nameServers;
    private final HostsFileEntriesProvider hostsFile;
    private final SearchList search;

    HostLookUp(NameServers nameServers, HostsFileEntriesProvider hostsFile, SearchList search) {
        this.nameServers = nameServers;
        this.hostsFile = hostsFile;
        this.search = search;
    }

    /** Never fails; completes on the event loop, maybe at once. */
    CompletableFuture<HostAddresses> addresses(String host) {
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
        if (literal != null) {
            return CompletableFuture.completedFuture(HostAddresses.of(List.of(address(literal))));
        }
        List<InetAddress> listed = listed(host);
        if (!listed.isEmpty()) {
            return CompletableFuture.completedFuture(HostAddresses.of(listed));
        }
        return addresses(search.candidates(host), 0);
    }

    private List<InetAddress> listed(String host) {
        String key = host.toLowerCase(Locale.ROOT);
        List<InetAddress> addresses = new ArrayList<>();
        addresses.addAll(hostsFile.ipv4Entries().getOrDefault(key, List.of()));
        addresses.addAll(hostsFile.ipv6Entries().getOrDefault(key, List.of()));
        return List.copyOf(addresses);
    }

    /**
     * Both families are asked for below one domain before the next is tried: asked for each by itself, a name whose pods
     * have IPv4 alone would get IPv6 addresses from a wildcard record of some other domain.
     */
    private CompletableFuture<HostAddresses> addresses(List<String> candidates, int next) {
        String name = candidates.get(next);
        return nameServers
                .ask(name, DnsRecordType.A, HostLookUp::decode)
                .thenCombine(nameServers.ask(name, DnsRecordType.AAAA, HostLookUp::decode), HostAddresses::new)
                .thenCompose(found -> {
                    // No answer is no leave to search on: what another domain has under this name is somebody else's.
                    boolean last = !found.isEmpty() || !found.isKnown() || next + 1 == candidates.size();
                    return last ? CompletableFuture.completedFuture(found) : addresses(candidates, next + 1);
                });
    }

    private static InetAddress decode(ByteBuf content) throws UnknownHostException {
        return InetAddress.getByAddress(ByteBufUtil.getBytes(content));
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException impossible) {
            throw new IllegalArgumentException(bytes.length + " bytes (expected: 4 or 16)", impossible);
        }
    }
}
