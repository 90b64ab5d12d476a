package io.drover.demo;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** An endless text about herding, word by word; where it starts and how it goes on follow from a number. */
final class Prose {
    // A prime number of sentences, so that any stride meets each of them. No character here needs a JSON escape.
    private static final List<String> TEXT = List.of(
            "A good drover walks behind the herd and lets the slowest animal set the pace.",
            "Water comes first, then grass, and only then the road.",
            "The herd moves as one when nobody hurries it.",
            "A dog that barks at everything moves nothing.",
            "When one animal stands still, look at its feet before you raise the stick.",
            "Spread them over the meadow and every one of them will find enough to eat.",
            "A narrow gate is passed one by one, and shouting has never made it wider.",
            "Count them in the evening, count them in the morning, and write both numbers down.",
            "The lame ones rest, the others carry on, and nobody is left behind.",
            "At the river the drover waits until the first one has found the ford.",
            "A herd remembers the way better than the one who drives it.",
            "Thunder is no reason to run, but it is a reason to be near them.",
            "What looks like stubbornness is often a hole in the bridge.",
            "The calm animals go to the front, because the others will follow them.",
            "He who drives two herds should know which bell belongs to which.",
            "Fresh animals are brought in slowly, or the old ones push them out.",
            "A fence is a promise, and a broken fence is a long night.",
            "No market is worth a gallop on the last mile.",
            "Rain makes the path heavy, so ask less of them on that day.",
            "If the lead animal falls ill, another one has already taken its place.",
            "The best day on the road is the one of which there is nothing to tell.",
            "Call them by name and they come, call them by number and they look up.",
            "When all have drunk, the drover drinks.");

    private static final byte[][][] SENTENCES = TEXT.stream()
            .map(sentence -> Arrays.stream(sentence.split(" "))
                    .map(word -> (" " + word).getBytes(StandardCharsets.US_ASCII))
                    .toArray(byte[][]::new))
            .toArray(byte[][][]::new);

    private final int stride;
    private int sentence;
    private int word;
    private boolean begun;

    Prose(long seed) {
        long mixed = seed * 0x9E3779B97F4A7C15L;
        this.sentence = (int) Long.remainderUnsigned(mixed >>> 7, SENTENCES.length);
        this.stride = 1 + (int) Long.remainderUnsigned(mixed >>> 31, SENTENCES.length - 1L);
    }

    /**
     * The next word, with a space before it unless it is the first; must not be changed.
     *
     * @param last whether the text ends here, with a full stop
     */
    byte[] next(boolean last) {
        byte[] next = SENTENCES[sentence][word];
        word++;
        if (word == SENTENCES[sentence].length) {
            word = 0;
            sentence = (sentence + stride) % SENTENCES.length;
        }
        if (!begun) {
            begun = true;
            next = Arrays.copyOfRange(next, 1, next.length);
        }
        return last ? stopped(next) : next;
    }

    private static byte[] stopped(byte[] text) {
        byte end = text[text.length - 1];
        if (end == '.') {
            return text;
        }
        byte[] stopped = end == ',' ? text.clone() : Arrays.copyOf(text, text.length + 1);
        stopped[stopped.length - 1] = '.';
        return stopped;
    }
}
