/**
 * Drover as clients see it: real client libraries, installed by their own package managers, in front of the real proxy.
 * Start reading at {@link io.drover.clients.ClientLibraryTest}.
 */
@NullMarked
package io.drover.clients;

import org.jspecify.annotations.NullMarked;
