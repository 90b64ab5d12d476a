/**
 * What is known of the API
 *
 * <p>May import:  routes, families, model names, the final record, error bodies, origins.. Start reading at {@code http:RouteTable}.
 */
@NullMarked
package io.drover.ollama;

import org.jspecify.annotations.NullMarked;
