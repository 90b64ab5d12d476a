package io.drover.config;

import java.util.List;
import java.util.Set;

/**
 * The keys that this version knows and does not honour. Each version honours more and drops rows; when the table is
 * empty, so is the reason for this class.
 */
final class LaterKeys {
    /** Objects of which a later version takes a list too. */
    static final Set<String> LISTS = Set.of("tls");

    private static final List<Row> DROVER = List.of(
            unused("queue.max", Kind.number(0)),
            unused("queue.timeout", Quantities.DURATION),
            unused("access-log.format", Kind.word("json")));

    private static final List<Row> ENTRY = List.of(unused("slots", Kind.SLOTS));

    private LaterKeys() {}

    static void checkDrover(Section drover) {
        DROVER.forEach(row -> row.check(drover));
    }

    static void checkEntry(Section entry) {
        ENTRY.forEach(row -> row.check(entry));
    }

    /** Any valid value is harmless: at most it warns. */
    private static Row unused(String path, Kind<?> kind) {
        return new Row(path, kind);
    }

    private record Row(String path, Kind<?> kind) {
        void check(Section section) {
            section.acceptUnused(path, kind);
        }
    }
}
