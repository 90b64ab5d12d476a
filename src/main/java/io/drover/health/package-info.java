/**
 * Probes that tell which backends answer.
 *
 * <p>May import: backend, http, ollama, metrics, config. Start reading at {@code HealthProber}.
 */
@NullMarked
package io.drover.health;

import org.jspecify.annotations.NullMarked;
