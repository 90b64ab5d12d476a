/**
 * The herd and the choice among it: backends, slots, clusters, policies. Knows no channel and no buffer.
 *
 * <p>May import: ollama, metrics, config. Start reading at {@code LoadBalancer}.
 */
@NullMarked
package io.drover.backend;

import org.jspecify.annotations.NullMarked;
