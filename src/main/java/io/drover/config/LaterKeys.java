package io.drover.config;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The keys that this version knows and does not honour. Each version honours more and drops rows; when the table is
 * empty, so is the reason for this class.
 */
final class LaterKeys {
    /** Objects of which a later version takes a list too. */
    static final Set<String> LISTS = Set.of("tls");

    private static final Kind<Long> SIZE = Quantities.size(1, 1L << 40);

    private static final List<Row> DROVER = List.of(
            unused("queue.max", Kind.number(0)),
            unused("queue.timeout", Quantities.DURATION),
            off("cache.enabled"),
            unused("cache.when", Kind.word("deterministic", "always")),
            unused("cache.ttl", Quantities.DURATION),
            unused("cache.memory", SIZE),
            unused("cache.max-entry", SIZE),
            unused("cache.serve-stale", Quantities.DURATION),
            unused("cache.coalesce", Kind.BOOLEAN),
            unused("access-log.format", Kind.word("json")));

    private static final List<Row> ENTRY = List.of(unused("slots", Kind.SLOTS));

    private LaterKeys() {}

    static void checkDrover(Section drover) {
        DROVER.forEach(row -> row.check(drover));
    }

    static void checkEntry(Section entry) {
        ENTRY.forEach(row -> row.check(entry));
    }

    /** Any other value than the default would promise something. */
    private static Row off(String path) {
        return new Row(path, Optional.empty());
    }

    /** Any valid value is harmless: at most it warns. */
    private static Row unused(String path, Kind<?> kind) {
        return new Row(path, Optional.of(kind));
    }

    private record Row(String path, Optional<Kind<?>> kind) {
        void check(Section section) {
            kind.ifPresentOrElse(accepted -> section.acceptUnused(path, accepted), () -> section.requireDefault(path));
        }
    }
}
