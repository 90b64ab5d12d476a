/**
 * A simulated Ollama, on Netty's own HTTP codec so that it checks ours.
 *
 * <p>May import: nothing of ours. Start reading at {@code SimulatedOllama}.
 */
@NullMarked
package io.drover.demo;

import org.jspecify.annotations.NullMarked;
