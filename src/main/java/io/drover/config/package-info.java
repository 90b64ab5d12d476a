/**
 * HOCON to immutable, validated records. Every default, its unit and its reason stand in reference.conf.
 *
 * <p>May import: nothing of ours; the only package that knows typesafe-config. Start reading at {@code ConfigLoader}.
 */
@NullMarked
package io.drover.config;

import org.jspecify.annotations.NullMarked;
