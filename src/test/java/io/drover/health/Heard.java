package io.drover.health;

import io.drover.testing.Await;
import io.netty.util.NetUtil;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** What a discovery told. Any thread. */
final class Heard implements DiscoveryListener {
    final List<List<Found>> sets = new CopyOnWriteArrayList<>();
    final List<String> troubles = new CopyOnWriteArrayList<>();

    @Override
    public void onFound(List<Found> all) {
        sets.add(all);
    }

    @Override
    public void onFailed(String reason) {
        troubles.add("failed: " + reason);
    }

    @Override
    public void onRecovered() {
        troubles.add("recovered");
    }

    List<Found> last() {
        return sets.get(sets.size() - 1);
    }

    void awaitAll(String... expected) {
        List<String> sorted = Stream.of(expected).sorted().toList();
        Await.until(
                sorted.toString(),
                DiscoveryRig.SOON,
                () -> !sets.isEmpty()
                        && texts(last()).stream().sorted().toList().equals(sorted));
    }

    void awaitTrouble(String last) {
        Await.until(
                last,
                DiscoveryRig.SOON,
                () -> !troubles.isEmpty() && troubles.get(troubles.size() - 1).equals(last));
    }

    /** These and no others, in this order. */
    void awaitTroubles(String... all) {
        Await.until(String.join(", ", all), DiscoveryRig.SOON, () -> troubles.equals(List.of(all)));
    }

    static List<String> texts(List<Found> all) {
        return all.stream()
                .map(found -> NetUtil.toAddressString(found.address().getAddress()) + ":"
                        + found.address().getPort())
                .toList();
    }
}
