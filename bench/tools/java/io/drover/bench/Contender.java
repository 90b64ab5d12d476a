package io.drover.bench;

import java.util.List;
import java.util.Map;

/**
 * A proxy that takes part.
 *
 * @param port of the loopback address, where it listens
 * @param command starts it in the foreground
 * @param environment added to ours
 * @param version as it tells it itself, or what is known of it
 */
record Contender(String name, int port, List<String> command, Map<String, String> environment, String version) {}
