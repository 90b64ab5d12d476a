package io.drover.cache;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects where an answer tells times and ids, then makes the bytes that are kept, with values of fixed widths there. */
final class Places {
    private static final byte[] TIME = "0000-00-00T00:00:00.000000000Z".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SECONDS = "1000000000".getBytes(StandardCharsets.US_ASCII);

    private record Place(Fresh kind, int from, int to) {}

    /** The bytes to keep, and where they change. */
    record Result(byte[] body, Patches patches) {}

    private final List<Place> places = new ArrayList<>();
    private byte @Nullable [] idPattern;

    /** A time as a string. */
    void time(Slice string) {
        add(Fresh.TIME, string.inside());
    }

    /** A time as a number; {@code null} stays. */
    void seconds(@Nullable Slice number) {
        if (number != null && number.isNumber()) {
            add(Fresh.SECONDS, number);
        }
    }

    /** The answer's id, whose prefix ends with the first dash or underscore. */
    void id(Slice string) throws UnfitAnswerException {
        Slice id = string.inside();
        int from = id.from();
        while (from < id.to() && id.text()[from] != '_' && id.text()[from] != '-') {
            from++;
        }
        String prefix = new Slice(id.text(), id.from(), Math.min(from + 1, id.to())).toString();
        Slice random = from < id.to() ? new Slice(id.text(), from + 1, id.to()) : id;
        String text = random.toString();
        if (text.isEmpty() || !text.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '\\')) {
            throw new UnfitAnswerException("id: " + id + " (expected: a prefix, and letters or digits)");
        }
        if (idPattern == null) {
            idPattern = FreshValues.idPattern(prefix, text);
        }
        add(Fresh.ID, random);
    }

    private void add(Fresh kind, Slice place) {
        places.add(new Place(kind, place.from(), place.to()));
    }

    /** @param body stays as it is; it is the result's where there are no places */
    Result in(byte[] body) {
        if (places.isEmpty()) {
            return new Result(body, Patches.NONE);
        }
        places.sort(Comparator.comparingInt(Place::from));
        byte[] id = idPattern == null ? new byte[0] : idPattern;
        int length = body.length;
        for (Place place : places) {
            length += kept(place, id).length - (place.to() - place.from());
        }
        byte[] result = new byte[length];
        int[] offsets = new int[places.size()];
        byte[] kinds = new byte[places.size()];
        int read = 0;
        int written = 0;
        for (int i = 0; i < offsets.length; i++) {
            Place place = places.get(i);
            int same = place.from() - read;
            System.arraycopy(body, read, result, written, same);
            written += same;
            byte[] value = kept(place, id);
            System.arraycopy(value, 0, result, written, value.length);
            offsets[i] = written;
            kinds[i] = (byte) place.kind().ordinal();
            written += value.length;
            read = place.to();
        }
        System.arraycopy(body, read, result, written, body.length - read);
        return new Result(result, new Patches(offsets, kinds, id.length));
    }

    private static byte[] kept(Place place, byte[] id) {
        return switch (place.kind()) {
            case TIME -> TIME;
            case SECONDS -> SECONDS;
            case ID -> id;
        };
    }
}
