/**
 * The process
 *
 * <p>May import:  commands, listeners, transports, drain, the admin port.. Start reading at {@code everything:Main}.
 */
@NullMarked
package io.drover.server;

import org.jspecify.annotations.NullMarked;
