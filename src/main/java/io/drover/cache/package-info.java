/**
 * The response cache, its tiers in memory and in Redis, and the way to Redis. The only package that knows Lettuce.
 *
 * <p>May import: http, ollama, metrics, config. Start reading at {@link io.drover.cache.ResponseCache}.
 */
@NullMarked
package io.drover.cache;

import org.jspecify.annotations.NullMarked;
