package io.drover.cache;

import io.drover.ollama.Endpoint;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What a request says, apart from everything else that decides its answer.
 *
 * <p>Some requests have none, since a similar text does not stand for the same answer there: those with tools, images
 * or audio, where the text is not all that is said; those that ask for JSON, where a word decides what is read out of it;
 * those with {@code raw}, {@code context} or {@code suffix}, whose text is only a part of the prompt or holds more than
 * what is asked; those for tokens' probabilities; embeddings, whose answers are the exact text's; and those with fields that Drover does not know.
 *
 * @param text the last thing that the user says
 * @param group a digest of all the rest, as {@link Question#key} has it: the model's digest, the version, the tenant, the
 *     parameters, the system's prompt and all that was said before
 */
public record SemanticQuestion(String text, String group) {
    /** In UTF-16 units: a longer one is seldom asked twice, and exceeds what models embed. */
    private static final int LONGEST_TEXT = 8192;

    private static final byte[] IN_ITS_PLACE = "\"?\"".getBytes(StandardCharsets.US_ASCII);

    /**
     * Reads a body, on any thread.
     *
     * @param body one that {@link QuestionReader} has made a {@link Question} of
     * @return null where it has none
     */
    public static @Nullable SemanticQuestion read(Endpoint endpoint, byte[] body, Asked asked) {
        try {
            SpokenText.Place spoken = SpokenText.find(endpoint, body);
            if (spoken == null || spoken.text().isBlank() || spoken.text().length() > LONGEST_TEXT) {
                return null;
            }
            byte[] rest = without(body, spoken);
            return QuestionReader.read(endpoint, new ByteArrayInputStream(rest), asked) instanceof Question question
                    ? new SemanticQuestion(spoken.text(), question.key().toString())
                    : null;
        } catch (IOException malformed) {
            return null;
        }
    }

    private static byte[] without(byte[] body, SpokenText.Place spoken) {
        byte[] rest = new byte[body.length - (spoken.to() - spoken.from()) + IN_ITS_PLACE.length];
        System.arraycopy(body, 0, rest, 0, spoken.from());
        System.arraycopy(IN_ITS_PLACE, 0, rest, spoken.from(), IN_ITS_PLACE.length);
        int behind = spoken.from() + IN_ITS_PLACE.length;
        System.arraycopy(body, spoken.to(), rest, behind, body.length - spoken.to());
        return rest;
    }
}
