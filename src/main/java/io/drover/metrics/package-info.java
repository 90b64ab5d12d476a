/**
 * What Drover says of itself
 *
 * <p>May import:  the vocabulary of outcomes, the metrics and the access log.. Start reading at {@code config:Outcome, then Metrics}.
 */
@NullMarked
package io.drover.metrics;

import org.jspecify.annotations.NullMarked;
