/**
 * The process: commands, listeners, transports, drain, the admin port.
 *
 * <p>May import: everything. Start reading at {@link io.drover.server.Main}.
 */
@NullMarked
package io.drover.server;

import org.jspecify.annotations.NullMarked;
