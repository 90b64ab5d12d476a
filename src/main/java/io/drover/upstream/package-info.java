/**
 * Connections to backends
 *
 * <p>May import:  connecting, pooling, reuse.. Start reading at {@code backend, http, metrics, config:UpstreamPool}.
 */
@NullMarked
package io.drover.upstream;

import org.jspecify.annotations.NullMarked;
