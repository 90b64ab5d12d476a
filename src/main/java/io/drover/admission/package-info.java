/**
 * Who may come in, and how often: token buckets, budgets and counts, one for each key. Knows keys and times, no channel and no buffer.
 *
 * <p>May import: ollama, metrics, config; the only package that knows Caffeine. Start reading at
 * {@link io.drover.admission.Limiter}.
 */
@NullMarked
package io.drover.admission;

import org.jspecify.annotations.NullMarked;
