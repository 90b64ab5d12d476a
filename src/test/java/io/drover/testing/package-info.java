/**
 * What all tests use: plain sockets on either side of the proxy, byte by byte.
 *
 * <p>Start reading at {@code RawClient}, then {@code RawBackend}.
 */
@NullMarked
package io.drover.testing;

import org.jspecify.annotations.NullMarked;
