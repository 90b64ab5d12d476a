/**
 * The herd and the choice among it
 *
 * <p>May import:  backends, slots, clusters, policies.. Start reading at {@code ollama, metrics, config:LoadBalancer}.
 */
@NullMarked
package io.drover.backend;

import org.jspecify.annotations.NullMarked;
