/**
 * Probes that tell which backends answer, the listings of their models, and the look-up of their names.
 *
 * <p>May import: backend, tls, http, ollama, metrics, config. Start reading at {@link io.drover.health.HealthProber}.
 */
@NullMarked
package io.drover.health;

import org.jspecify.annotations.NullMarked;
