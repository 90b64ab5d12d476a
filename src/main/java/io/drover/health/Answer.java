package io.drover.health;

import java.util.List;

/**
 * What is known of one question to the name servers.
 *
 * @param records may be empty
 * @param known whether the records are those that there are; if not, there was no orderly answer
 * @param reason why there are no records or why they are not known, in a few words; empty otherwise
 */
record Answer<T>(List<T> records, boolean known, String reason) {
    static <T> Answer<T> of(List<T> records) {
        return new Answer<>(records, true, "");
    }

    static <T> Answer<T> none(String reason) {
        return new Answer<>(List.of(), true, reason);
    }

    static <T> Answer<T> unknown(String reason) {
        return new Answer<>(List.of(), false, reason);
    }

    /** This, with the records of an earlier answer where this knows none. */
    Answer<T> orRecordsOf(Answer<T> earlier) {
        return known ? this : new Answer<>(earlier.records, false, reason);
    }
}
