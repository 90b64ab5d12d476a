/**
 * The way to Redis; the response cache itself is to come. The only package that knows Lettuce.
 *
 * <p>May import: http, ollama, metrics, config. Start reading at {@link io.drover.cache.RedisLink}.
 */
@NullMarked
package io.drover.cache;

import org.jspecify.annotations.NullMarked;
