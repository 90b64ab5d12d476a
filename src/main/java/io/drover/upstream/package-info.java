/**
 * Connections to backends: connecting, pooling, reuse.
 *
 * <p>May import: backend, tls, http, metrics, config. Start reading at {@link io.drover.upstream.UpstreamPool}.
 */
@NullMarked
package io.drover.upstream;

import org.jspecify.annotations.NullMarked;
