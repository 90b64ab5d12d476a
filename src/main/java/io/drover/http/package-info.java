/**
 * The wire
 *
 * <p>May import:  heads, framing, chunks. Bytes in, bytes out, Netty buffers only.. Start reading at {@code nothing of ours:HeadParser, then ChunkedFraming}.
 */
@NullMarked
package io.drover.http;

import org.jspecify.annotations.NullMarked;
