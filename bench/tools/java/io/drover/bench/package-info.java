/**
 * The tools behind {@code bench/compare} and {@code bench/load}: a backend and clients that cost little themselves, the
 * measurements, and the table, the file and the pictures of what they found. Start reading at {@link
 * io.drover.bench.Comparison}.
 */
@NullMarked
package io.drover.bench;

import org.jspecify.annotations.NullMarked;
