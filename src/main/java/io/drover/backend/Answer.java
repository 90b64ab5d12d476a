package io.drover.backend;

import io.drover.ollama.AnswerEnd;
import io.drover.ollama.FinalRecord;
import io.drover.ollama.ModelName;
import org.jspecify.annotations.Nullable;

/**
 * An answer to an inference request, whole as far as HTTP goes.
 *
 * @param model null where the request named none
 * @param end how it ended
 * @param record what it told of itself
 * @param firstByteNanos from when the backend was given the request to the first byte of a streamed answer; -1 where the
 *     answer was no stream
 */
public record Answer(@Nullable ModelName model, AnswerEnd end, FinalRecord record, long firstByteNanos) {}
