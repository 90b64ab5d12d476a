/**
 * Who may come in how often: token buckets, one for each client. Knows keys and times, no channel and no buffer.
 *
 * <p>May import: ollama, metrics, config; the only package that knows Caffeine. Start reading at
 * {@link io.drover.admission.RequestLimit}.
 */
@NullMarked
package io.drover.admission;

import org.jspecify.annotations.NullMarked;
