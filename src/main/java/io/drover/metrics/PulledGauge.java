package io.drover.metrics;

import io.prometheus.client.Collector;
import io.prometheus.client.GaugeMetricFamily;
import java.util.List;
import java.util.function.Consumer;

/** A gauge whose samples are asked for at each scrape, so that whoever owns the numbers does nothing in between. */
final class PulledGauge extends Collector implements Collector.Describable {
    private final String name;
    private final String help;
    private final List<String> labels;
    private final Consumer<GaugeMetricFamily> samples;

    /** @param samples adds the samples of now to the family; runs on the thread that scrapes */
    PulledGauge(String name, String help, List<String> labels, Consumer<GaugeMetricFamily> samples) {
        this.name = name;
        this.help = help;
        this.labels = labels;
        this.samples = samples;
    }

    @Override
    public List<MetricFamilySamples> collect() {
        GaugeMetricFamily family = new GaugeMetricFamily(name, help, labels);
        samples.accept(family);
        return List.of(family);
    }

    /** Without it a second gauge of the same name would only be noticed by Prometheus. */
    @Override
    public List<MetricFamilySamples> describe() {
        return List.of(new GaugeMetricFamily(name, help, labels));
    }
}
