package io.drover.config;

import java.util.Collection;
import java.util.Comparator;

/** Finds what a name with a slip in it was most likely meant to be. */
public final class Spelling {
    private Spelling() {}

    /** @param known at least one */
    public static String nearest(String name, Collection<String> known) {
        return known.stream()
                .min(Comparator.comparingInt((String each) -> KnownKeys.distance(name, each))
                        .thenComparing(Comparator.naturalOrder()))
                .orElseThrow();
    }
}
