/**
 * The wire: heads, framing, chunks. Bytes in, bytes out, Netty buffers only.
 *
 * <p>May import: nothing of ours. Start reading at {@link io.drover.http.HeadParser}.
 */
@NullMarked
package io.drover.http;

import org.jspecify.annotations.NullMarked;
