package io.drover.proxy;

import io.drover.metrics.Outcome;

/**
 * Why a request is not let in: what its client is told, and what log and metrics are.
 *
 * @param outcome with the reply's status
 */
record Refusal(Reply reply, Outcome outcome) {}
