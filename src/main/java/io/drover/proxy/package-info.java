/**
 * The data path, from a client's first byte to the access log.
 *
 * <p>May import: upstream, tls, cache, admission, backend, ollama, metrics, http, config. Start reading at {@link io.drover.proxy.ClientConnection}.
 */
@NullMarked
package io.drover.proxy;

import org.jspecify.annotations.NullMarked;
