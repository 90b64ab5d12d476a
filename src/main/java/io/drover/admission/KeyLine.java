package io.drover.admission;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import io.drover.admission.AuthVerdict.Reason;
import io.drover.config.SecretHash;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An API key, as a line of the keys file holds it: an object in JSON with {@code name}, {@code hash} and what
 * {@link PrincipalFields} tells. Immutable.
 *
 * @param hash of the secret
 * @param verdict on a secret with this hash, as long as the key has not expired
 */
public record KeyLine(SecretHash hash, AuthVerdict verdict) {
    static final AuthVerdict EXPIRED = AuthVerdict.refused(Reason.EXPIRED, "this key has expired");
    static final AuthVerdict DISABLED = AuthVerdict.refused(Reason.DISABLED, "this key is disabled");

    private static final String NAME = "name";
    private static final String HASH = "hash";

    private static final List<String> NAMES =
            Stream.concat(Stream.of(NAME, HASH), PrincipalFields.NAMES.stream()).toList();

    /** The configuration's limits must be able to name it. */
    private static final Pattern VALID_NAME = Pattern.compile("[A-Za-z0-9._:\\[\\]-]{1,255}");

    /**
     * Names of fields are those of strangers where they are wrong: interning them would keep each for ever. What is written
     * is ASCII: it goes through a terminal, which may have another character set than the file.
     */
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .build();

    static KeyLine of(SecretHash hash, Principal principal) {
        return new KeyLine(hash, AuthVerdict.of(principal));
    }

    /**
     * Reads a line.
     *
     * @throws FieldsException with every mistake
     */
    public static KeyLine parse(String line) throws FieldsException {
        List<FieldProblem> problems = new ArrayList<>();
        Map<String, @Nullable Object> fields = object(line, problems);
        String name = name(fields, problems);
        Optional<SecretHash> hash = hash(fields, problems);
        Principal principal = PrincipalFields.read(name, fields, NAMES, problems);
        if (!problems.isEmpty() || hash.isEmpty()) {
            throw new FieldsException(problems);
        }
        return of(hash.get(), principal);
    }

    private static Map<String, @Nullable Object> object(String line, List<FieldProblem> problems)
            throws FieldsException {
        String expected = "one object in JSON, such as {\"name\":\"alice\",\"hash\":\"sha256:...\"}";
        try (JsonParser json = JSON.createParser(line)) {
            JsonToken first = json.nextToken();
            if (first != JsonToken.START_OBJECT) {
                throw new FieldsException(List.of(new FieldProblem("", "no object", expected)));
            }
            Map<String, @Nullable Object> fields = JsonFields.read(json, problems);
            if (json.nextToken() != null) {
                problems.add(new FieldProblem("", "more behind the object", expected));
            }
            return fields;
        } catch (JsonProcessingException malformed) {
            // Without its message, which quotes the text.
            int column = malformed.getLocation() == null
                    ? 1
                    : malformed.getLocation().getColumnNr();
            throw new FieldsException(List.of(new FieldProblem("", "no JSON at column " + column, expected)));
        } catch (IOException impossible) {
            throw new UncheckedIOException("read from memory", impossible);
        }
    }

    private static String name(Map<String, @Nullable Object> fields, List<FieldProblem> problems) {
        String expected = "a name of 1 to 255 letters, digits and . _ - : [ ]";
        if (!fields.containsKey(NAME)) {
            problems.add(new FieldProblem("", "no name", expected));
        } else if (fields.get(NAME) instanceof String text
                && VALID_NAME.matcher(text).matches()) {
            return text;
        } else {
            problems.add(FieldProblem.of(NAME, fields.get(NAME), expected));
        }
        return "";
    }

    private static Optional<SecretHash> hash(Map<String, @Nullable Object> fields, List<FieldProblem> problems) {
        String expected = "sha256: and 64 hexadecimal digits, as the command key prints it";
        Optional<SecretHash> hash = fields.get(HASH) instanceof String text ? SecretHash.parse(text) : Optional.empty();
        if (hash.isEmpty()) {
            problems.add(
                    fields.containsKey(HASH)
                            ? new FieldProblem(HASH, "(hidden)", expected)
                            : new FieldProblem("", "no hash", expected));
        }
        return hash;
    }

    /**
     * Writes a line that {@link #parse} takes, without its end.
     *
     * @param fields as {@link PrincipalFields#of(String, Map)} takes them, in this order
     * @throws FieldsException with every mistake; then nothing is written
     */
    public static String write(String name, SecretHash hash, Map<String, ?> fields) throws FieldsException {
        StringWriter line = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(line)) {
            json.writeStartObject();
            json.writeStringField(NAME, name);
            json.writeStringField(HASH, hash.toString());
            for (Map.Entry<String, ?> field : fields.entrySet()) {
                json.writeFieldName(field.getKey());
                write(json, field.getValue());
            }
            json.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException("written to memory", impossible);
        }
        parse(line.toString());
        return line.toString();
    }

    private static void write(JsonGenerator json, Object value) throws IOException {
        if (value instanceof Collection<?> elements) {
            json.writeStartArray();
            for (Object element : elements) {
                json.writeString(element.toString());
            }
            json.writeEndArray();
        } else if (value instanceof Boolean flag) {
            json.writeBoolean(flag);
        } else if (value instanceof Number number) {
            json.writeNumber(number.longValue());
        } else {
            json.writeString(value.toString());
        }
    }

    public String name() {
        Principal principal = verdict.principal();
        return principal == null ? "" : principal.name();
    }

    /** The verdict at a point in time. */
    AuthVerdict at(long nowMillis) {
        Principal principal = verdict.principal();
        if (principal == null) {
            return verdict;
        }
        if (!principal.enabled()) {
            return DISABLED;
        }
        Optional<Instant> expires = principal.expires();
        return expires.isPresent() && nowMillis >= expires.get().toEpochMilli() ? EXPIRED : verdict;
    }

    /** Its name: the hash is for nobody's eyes. */
    @Override
    public String toString() {
        return name();
    }
}
