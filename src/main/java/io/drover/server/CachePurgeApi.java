package io.drover.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.drover.cache.Purged;
import io.drover.metrics.CacheMetrics;
import io.drover.ollama.ModelName;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A purge of the response cache by the admin port. */
final class CachePurgeApi {
    static final String PATH = "/api/cache/purge";

    private static final Logger LOG = LoggerFactory.getLogger(CachePurgeApi.class);
    private static final JsonFactory JSON = new JsonFactory();
    private static final String EXPECTED =
            " (expected: {\"model\":\"llama3.2\"}, {\"key\":\"64 hexadecimal digits\"} or {\"all\":true})";
    private static final Pattern KEY = Pattern.compile("[0-9A-Fa-f]{64}");
    private static final int LONGEST_QUOTE = 100;

    private final @Nullable Purges purges;
    private final CacheMetrics metrics;

    /** @param purges null where the cache is off */
    CachePurgeApi(@Nullable Purges purges, CacheMetrics metrics) {
        this.purges = purges;
        this.metrics = metrics;
    }

    /** What a request may ask for, and the label that it is counted with. */
    private record Asked(String scope, Function<Purges, CompletionStage<Purged>> purge) {}

    /** The answer to a request, whose body is read before this returns; never fails. */
    CompletionStage<FullHttpResponse> answer(FullHttpRequest request) {
        if (!request.method().equals(HttpMethod.POST)) {
            return CompletableFuture.completedStage(AdminHandler.wrongMethod(request, "POST"));
        }
        if (purges == null) {
            return error(HttpResponseStatus.NOT_FOUND, "the cache is off (expected: cache.enabled = true)");
        }
        byte[] body = ByteBufUtil.getBytes(request.content());
        Asked asked = read(body);
        if (asked == null) {
            return error(HttpResponseStatus.BAD_REQUEST, "body " + quote(body) + EXPECTED);
        }
        return asked.purge().apply(purges).handle((purged, failure) -> {
            if (failure != null) {
                LOG.error("purge of the cache fails by a fault of ours", failure);
                return AdminHandler.error(HttpResponseStatus.INTERNAL_SERVER_ERROR, failure.toString());
            }
            metrics.onPurge(asked.scope());
            return AdminHandler.json(HttpResponseStatus.OK, body(purged));
        });
    }

    /** Takes one object with one field and nothing else: who mistypes a field must not believe that something is gone. */
    private static @Nullable Asked read(byte[] body) {
        try (JsonParser json = JSON.createParser(body)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            String field = json.nextFieldName();
            JsonToken type = json.nextToken();
            Asked asked = field == null ? null : asked(field, type, json);
            return json.nextToken() == JsonToken.END_OBJECT && json.nextToken() == null ? asked : null;
        } catch (IOException notJson) {
            return null;
        }
    }

    private static @Nullable Asked asked(String field, JsonToken type, JsonParser json) throws IOException {
        if (field.equals("all") && type == JsonToken.VALUE_TRUE) {
            return new Asked("all", Purges::purgeAll);
        }
        if (type != JsonToken.VALUE_STRING) {
            return null;
        }
        String text = json.getText();
        if (field.equals("key") && KEY.matcher(text).matches()) {
            return new Asked("key", purges -> purges.purgeKey(text.toLowerCase(Locale.ROOT)));
        }
        if (field.equals("model")) {
            ModelName model = ModelName.of(text);
            return model.isValid() ? new Asked("model", purges -> purges.purgeModel(model.key())) : null;
        }
        return null;
    }

    private static byte[] body(Purged purged) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeNumberField("purged", purged.answers());
            json.writeBooleanField("replicas_told", purged.told());
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    private static String quote(byte[] body) {
        String text = new String(body, StandardCharsets.UTF_8);
        return text.isEmpty()
                ? "is empty"
                : text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "...";
    }

    private static CompletionStage<FullHttpResponse> error(HttpResponseStatus status, String message) {
        return CompletableFuture.completedStage(AdminHandler.error(status, message));
    }
}
