package io.drover.proxy;

import io.drover.backend.Backend;
import io.drover.backend.HerdModel;
import io.drover.cache.KeptAnswer;
import io.drover.cache.Origin;
import io.drover.cache.Question;
import io.drover.cache.UnreadAnswer;
import io.drover.http.BodyFraming;
import io.drover.http.Field;
import io.drover.http.MessageHead;
import io.drover.ollama.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the answer that one exchange gets recorded, for those who follow it, and kept when it is whole. Belongs to one
 * exchange, used on its event loop.
 */
final class Recorder {
    private static final Logger LOG = LoggerFactory.getLogger(Recorder.class);

    /** Larger answers are read aside before anybody asks for them: an event loop has no time for it. */
    private static final int SMALL_ANSWER = 64 * 1024;

    private final Worker worker;
    private final Caching caching;
    private final Endpoint endpoint;
    private final Question question;
    private final String model;
    private final HerdModel herd;
    private final long generation;
    private final Flight flight;
    private final @Nullable EmbedInputs inputs;
    private final long askedMillis;
    private String contentType = "";
    private boolean unreadable;

    /**
     * @param herd what the question's key says that the answer comes from
     * @param generation of the cache when the question was looked up
     * @param inputs each of which is kept by itself; null where it is not so
     */
    Recorder(
            Worker worker,
            Caching caching,
            Endpoint endpoint,
            Question question,
            String model,
            HerdModel herd,
            long generation,
            Flight flight,
            @Nullable EmbedInputs inputs) {
        this.worker = worker;
        this.caching = caching;
        this.endpoint = endpoint;
        this.question = question;
        this.model = model;
        this.herd = herd;
        this.generation = generation;
        this.flight = flight;
        this.inputs = inputs;
        this.askedMillis = worker.clock().wallMillis();
    }

    Flight flight() {
        return flight;
    }

    /**
     * An answer begins that may yet be dropped for another.
     *
     * @return what records it; null: nothing does
     */
    @Nullable
    Flight onHead(MessageHead head, BodyFraming framing) {
        unreadable |= head.has(Field.CONTENT_ENCODING);
        if (unreadable) {
            // Whether others can read it is not known, nor what it says.
            end(Flight.End.DISSOLVED);
            return null;
        }
        int at = head.indexOf(Field.CONTENT_TYPE, 0);
        contentType = at < 0 ? "" : head.text(head.valueStart(at), head.valueEnd(at));
        boolean bounded = framing.isNone() || framing.kind() == BodyFraming.Kind.LENGTH;
        flight.begin(new Flight.Head(head.status(), contentType, bounded ? framing.length() : -1));
        return flight;
    }

    /**
     * The answer has ended, and is on its way to the client.
     *
     * @param then follows on the event loop when it is kept, or will not be
     */
    void onWhole(int status, Backend backend, Runnable then) {
        flight.end(new Flight.End(Flight.End.Kind.COMPLETE, null, null));
        byte[] body = status == 200 && !unreadable && herd.isOf(backend, model) ? flight.body() : null;
        Runnable done = () -> {
            flight.retire();
            then.run();
        };
        if (body == null) {
            done.run();
        } else if (body.length <= SMALL_ANSWER) {
            keep(body);
            done.run();
        } else if (!caching.aside(worker, () -> keep(body), done)) {
            done.run();
        }
    }

    private void keep(byte[] body) {
        long at = caching.cache().answeredAt(askedMillis);
        try {
            if (inputs != null) {
                inputs.store(body, at);
                return;
            }
            Origin origin = new Origin(model, generation, at);
            // Beyond it another backend, with a shorter context, might have answered otherwise.
            long context = question.contextGiven() || herd.context() <= 0 ? Long.MAX_VALUE : herd.context();
            KeptAnswer answer = new UnreadAnswer(endpoint, question.form(), contentType, body, origin, context);
            if (body.length > SMALL_ANSWER) {
                answer = answer.read();
            }
            if (answer != null) {
                caching.cache().store(question.key(), answer);
            }
        } catch (RuntimeException fault) {
            // The client has its answer, and others are not to join for ever one that has ended.
            LOG.error("an answer is not kept by a fault of ours", fault);
        }
    }

    /**
     * The answer to a part of the request has ended, and went to nobody.
     *
     * @return its bytes; null where they are not to be had, or not to be trusted
     */
    byte @Nullable [] onRest(Backend backend) {
        byte[] rest = unreadable || !herd.isOf(backend, model) ? null : flight.body();
        flight.reset();
        return rest;
    }

    /** Keeps what {@link #onRest} gave. */
    void keepRest(byte[] rest) {
        if (rest.length <= SMALL_ANSWER) {
            keep(rest);
        } else {
            // Where there is nobody to do it, others will ask for it again.
            caching.aside(worker, () -> keep(rest), () -> {});
        }
    }

    /** Ends it otherwise; nobody can join any more. */
    void end(Flight.End how) {
        if (flight.end() == null) {
            flight.end(how);
            flight.retire();
        }
    }
}
