/**
 * The way to Redis (the response cache is to come).
 *
 * <p>May import: http, ollama, metrics, config; the only package that knows Lettuce. Start reading at {@code RedisLink}.
 */
@NullMarked
package io.drover.cache;

import org.jspecify.annotations.NullMarked;
