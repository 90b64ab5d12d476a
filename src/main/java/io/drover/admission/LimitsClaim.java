package io.drover.admission;

import java.util.Map;

/** Reads what a token says of its caller's rights: an object with the fields of a line of the API keys file. Any thread. */
@FunctionalInterface
public interface LimitsClaim {
    /**
     * @param name of the caller
     * @param fields values as JSON has them: String, Boolean, Number, List, Map
     * @throws IllegalArgumentException if a field is unknown or its value is not what it may be; the message says so
     */
    Principal of(String name, Map<String, ?> fields);
}
