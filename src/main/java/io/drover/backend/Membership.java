package io.drover.backend;

import io.drover.config.DroverConfig.BackendConfig;
import io.drover.config.DroverConfig.Health;
import java.net.URI;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Who belongs to the herd: makes a backend of each new entry of the configuration, keeps those that stay with all that is
 * known of them, and lets go of the others. A change is planned first, so that new backends can be probed before they
 * are chosen. For one thread at a time.
 */
public final class Membership {
    private final BackendObserver observer;
    private final ModelObserver modelObserver;
    private final EjectionLimit limit = new EjectionLimit();
    private List<Backend> members = List.of();

    /** @param observer of every backend's state; nobody is told of models */
    public Membership(BackendObserver observer) {
        this(observer, (model, before, now) -> {});
    }

    /**
     * @param observer of every backend's state
     * @param modelObserver of every backend's models
     */
    public Membership(BackendObserver observer, ModelObserver modelObserver) {
        this.observer = observer;
        this.modelObserver = modelObserver;
    }

    /**
     * What is to become of the herd.
     *
     * @param wanted its entries from then on
     * @param members the backends of these entries, in their order
     * @param added those that do not belong to it yet
     * @param removed those that belong to it no more
     */
    public record Change(
            List<BackendConfig> wanted,
            Health health,
            List<Backend> members,
            List<Backend> added,
            List<Backend> removed) {
        public Change {
            wanted = List.copyOf(wanted);
            members = List.copyOf(members);
            added = List.copyOf(added);
            removed = List.copyOf(removed);
        }
    }

    /** What makes a backend the same one: with another address it is another server, whatever its name. */
    private record Identity(String name, URI url) {
        static Identity of(BackendConfig entry) {
            return new Identity(entry.name(), entry.url());
        }
    }

    /** Changes nothing yet. */
    public Change plan(List<BackendConfig> wanted, Health health) {
        Map<Identity, Backend> leaving = new HashMap<>();
        members.forEach(backend -> leaving.put(Identity.of(backend.config()), backend));
        List<Backend> next = new ArrayList<>();
        List<Backend> added = new ArrayList<>();
        // A request knows a backend by its index among those of one cluster, so one that stays keeps its own.
        BitSet taken = new BitSet();
        for (BackendConfig entry : wanted) {
            Backend staying = leaving.get(Identity.of(entry));
            if (staying != null) {
                taken.set(staying.index());
            }
        }
        for (BackendConfig entry : wanted) {
            Backend member = leaving.remove(Identity.of(entry));
            if (member == null) {
                int index = taken.nextClearBit(0);
                taken.set(index);
                member = new Backend(entry, index, health, limit, observer, modelObserver);
                added.add(member);
            }
            next.add(member);
        }
        return new Change(
                wanted,
                health,
                next,
                added,
                members.stream().filter(leaving::containsValue).toList());
    }

    /** Changes the herd at once, whoever is new in it: for the start, before which there is none. */
    public Cluster apply(List<BackendConfig> wanted, Health health, long nowNanos) {
        return apply(plan(wanted, health), nowNanos);
    }

    /**
     * Carries a change out, the last one that was planned. Those that go are not retired before everybody chooses from
     * the new cluster: see {@link Backend#retire}.
     */
    public Cluster apply(Change change, long nowNanos) {
        for (int i = 0; i < change.members.size(); i++) {
            change.members.get(i).configure(change.wanted.get(i), change.health, nowNanos);
        }
        members = change.members;
        limit.onHerd(members, change.health.passive().maxShare());
        return Cluster.of(members);
    }
}
