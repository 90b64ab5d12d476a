/**
 * HOCON to immutable, validated records. Every default, its unit and its reason stand in {@code reference.conf}. The
 * only package that knows typesafe-config.
 *
 * <p>May import: nothing of ours. Start reading at {@link io.drover.config.ConfigLoader}.
 */
@NullMarked
package io.drover.config;

import org.jspecify.annotations.NullMarked;
