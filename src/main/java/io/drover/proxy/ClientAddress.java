package io.drover.proxy;

import io.drover.config.Cidr;
import io.drover.http.Field;
import io.drover.http.MessageHead;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who asks, and what a backend is told of it: the one place where X-Forwarded-For is believed or not. */
final class ClientAddress {
    private ClientAddress() {}

    static boolean isTrusted(@Nullable InetAddress peer, List<Cidr> trusted) {
        if (peer == null) {
            return false;
        }
        for (Cidr network : trusted) {
            if (network.contains(peer)) {
                return true;
            }
        }
        return false;
    }

    /** All X-Forwarded-For fields as one list, or null. */
    static @Nullable String forwardedFor(MessageHead head) {
        int i = head.indexOf(Field.X_FORWARDED_FOR, 0);
        if (i < 0) {
            return null;
        }
        StringBuilder list = new StringBuilder();
        for (; i >= 0; i = head.indexOf(Field.X_FORWARDED_FOR, i + 1)) {
            list.append(list.isEmpty() ? "" : ", ").append(head.text(head.valueStart(i), head.valueEnd(i)));
        }
        return list.isEmpty() ? null : list.toString();
    }

    /** The last address in the list that no trusted proxy has, read from the right; {@code peer} if there is none. */
    static Peer client(String forwardedFor, Peer peer, List<Cidr> trusted) {
        String[] hops = forwardedFor.split(",", -1);
        InetAddress last = null;
        for (int i = hops.length - 1; i >= 0; i--) {
            InetAddress address = parse(hops[i].strip());
            if (address == null) {
                break;
            }
            last = address;
            if (!isTrusted(address, trusted)) {
                break;
            }
        }
        return last == null ? peer : Peer.of(last);
    }

    /** The address that an IPv4 or IPv6 literal is; null if it is none. */
    static @Nullable InetAddress parse(String text) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(text);
        if (bytes == null) {
            return null;
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
