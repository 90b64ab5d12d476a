package io.drover.metrics;

import io.prometheus.client.Collector;
import io.prometheus.client.hotspot.BufferPoolsExports;
import io.prometheus.client.hotspot.ClassLoadingExports;
import io.prometheus.client.hotspot.GarbageCollectorExports;
import io.prometheus.client.hotspot.MemoryAllocationExports;
import io.prometheus.client.hotspot.MemoryPoolsExports;
import io.prometheus.client.hotspot.StandardExports;
import io.prometheus.client.hotspot.ThreadExports;
import io.prometheus.client.hotspot.VersionInfoExports;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the JVM tells of itself: the usual metrics of Prometheus' client. Its sources are made at the first scrape, since
 * the JVM's management takes long to load and nothing else needs it; allocated bytes count from there.
 */
final class JvmMetrics extends Collector {
    private @Nullable List<Collector> sources;

    @Override
    public synchronized List<MetricFamilySamples> collect() {
        List<Collector> asked = sources;
        if (asked == null) {
            asked = List.of(
                    new StandardExports(),
                    new MemoryPoolsExports(),
                    new MemoryAllocationExports(),
                    new BufferPoolsExports(),
                    new GarbageCollectorExports(),
                    new ThreadExports(),
                    new ClassLoadingExports(),
                    new VersionInfoExports());
            sources = asked;
        }
        return asked.stream().flatMap(source -> source.collect().stream()).toList();
    }
}
