package io.drover.clients;

import io.drover.config.ConfigException;
import io.drover.config.ConfigSource;
import io.drover.demo.Fault;
import io.drover.demo.ReceivedRequest;
import io.drover.demo.SimulatedOllama;
import io.drover.server.ProxyServer;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The real proxy in front of two simulated servers that give the same answers. */
final class FrontDoor implements AutoCloseable {
    private final SimulatedOllama first;
    private final SimulatedOllama second;
    private final ProxyServer proxy;

    FrontDoor(SimulatedOllama.Settings settings) throws ConfigException, IOException {
        this(settings, Map.of());
    }

    /** @param keys values by their key below {@code drover} */
    FrontDoor(SimulatedOllama.Settings settings, Map<String, String> keys) throws ConfigException, IOException {
        first = SimulatedOllama.start(settings);
        second = SimulatedOllama.start(settings);
        Map<String, String> all = new HashMap<>(keys);
        all.putAll(Map.of("listen", "127.0.0.1:0", "admin.listen", "127.0.0.1:0", "access-log.enabled", "false"));
        ConfigSource source = new ConfigSource(
                Optional.empty(),
                Map.of(),
                List.of(first.url().toString(), second.url().toString()),
                all);
        proxy = ProxyServer.start(source);
    }

    /** Where clients go. */
    String url() {
        return "http://127.0.0.1:" + proxy.addresses().get(0).getPort();
    }

    /** One of the servers behind it. */
    SimulatedOllama backend() {
        return first;
    }

    /** What goes wrong with every answer of either server from now on. */
    void fault(Fault fault) {
        first.fault(fault);
        second.fault(fault);
    }

    /** Generations that hold a slot of either server. */
    int active() {
        return first.active() + second.active();
    }

    /** Requests that a server saw end before their answer did. */
    long cancelled() {
        return first.cancelled() + second.cancelled();
    }

    List<ReceivedRequest> received() {
        return Stream.concat(first.received().stream(), second.received().stream())
                .toList();
    }

    @Override
    public void close() {
        proxy.close();
        first.close();
        second.close();
    }
}
