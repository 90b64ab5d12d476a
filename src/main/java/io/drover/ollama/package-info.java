/**
 * What is known of the API: routes, families, model names, the final record, error bodies, origins.
 *
 * <p>May import: http. Start reading at {@link io.drover.ollama.RouteTable}.
 */
@NullMarked
package io.drover.ollama;

import org.jspecify.annotations.NullMarked;
