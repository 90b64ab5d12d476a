/**
 * TLS: the contexts of the proxy port and of connections to backends, and why a handshake fails.
 *
 * <p>May import: config. Start reading at {@link io.drover.tls.ServerTls} and {@link io.drover.tls.BackendContexts}.
 */
@NullMarked
package io.drover.tls;

import org.jspecify.annotations.NullMarked;
