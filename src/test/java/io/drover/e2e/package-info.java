/**
 * The whole proxy between plain sockets: what clients and backends see when all goes well and when nothing does.
 *
 * <p>Start reading at {@code BackendFaultTest}, the matrix of phases and faults.
 */
@NullMarked
package io.drover.e2e;

import org.jspecify.annotations.NullMarked;
