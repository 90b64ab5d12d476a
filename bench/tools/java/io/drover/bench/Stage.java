package io.drover.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/** Four backends that hold the model, one proxy before them, and clients that ask it. */
record Stage(List<RunningBackend> herd, RunningProxy proxy, Loops loops, ChaosClients clients)
        implements AutoCloseable {
    /** @param options of each backend, see {@link BackendCommand} */
    static Stage set(
            Contender contender,
            List<String> options,
            LongFunction<Asking> asking,
            int clients,
            Path folder,
            Children children)
            throws IOException {
        List<RunningBackend> herd = new ArrayList<>();
        for (int port : ChaosContenders.BACKENDS) {
            RunningBackend backend = RunningBackend.start(port, options, folder);
            children.add(backend::close);
            herd.add(backend);
        }
        RunningProxy proxy = RunningProxy.start(contender, folder);
        children.add(proxy::close);
        proxy.awaitAnswer();
        Loops loops = Loops.start(1);
        return new Stage(herd, proxy, loops, ChaosClients.start(loops, proxy.port(), clients, asking));
    }

    @Override
    public void close() {
        clients.close();
        loops.close();
        proxy.close();
        herd.forEach(RunningBackend::close);
    }
}
