/**
 * What Drover says of itself: the vocabulary of outcomes, the metrics and the access log.
 *
 * <p>May import: config; the only package that knows simpleclient. Start reading at {@code Outcome}, then
 * {@code Metrics}.
 */
@NullMarked
package io.drover.metrics;

import org.jspecify.annotations.NullMarked;
