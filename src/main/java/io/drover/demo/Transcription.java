package io.drover.demo;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.multipart.Attribute;
import io.netty.handler.codec.http.multipart.DefaultHttpDataFactory;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder;
import io.netty.handler.codec.http.multipart.InterfaceHttpData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** {@code /v1/audio/transcriptions}: a form whose field {@code model} names the model. */
final class Transcription implements Routes.Route {
    private final Simulation simulation;

    Transcription(Simulation simulation) {
        this.simulation = simulation;
    }

    @Override
    public void onHead(Incoming in) {
        in.readAll(bytes -> {
            if (!in.intercepted(null)) {
                transcribe(in, bytes);
            }
        });
    }

    private void transcribe(Incoming in, byte[] bytes) {
        DefaultFullHttpRequest form = new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1,
                HttpMethod.POST,
                in.request().uri(),
                Unpooled.wrappedBuffer(bytes),
                in.request().headers(),
                EmptyHttpHeaders.INSTANCE);
        HttpPostRequestDecoder decoder;
        try {
            decoder = new HttpPostRequestDecoder(new DefaultHttpDataFactory(false), form);
        } catch (HttpPostRequestDecoder.ErrorDataDecoderException e) {
            in.answer().invalid("request Content-Type isn't multipart/form-data");
            return;
        }
        try {
            String model = field(decoder, "model");
            if (model.isEmpty() || decoder.getBodyHttpData("file") == null) {
                in.answer().invalid(model.isEmpty() ? "model is required" : "file is required");
            } else if (simulation.store.model(model) == null) {
                in.answer().error(404, "model '" + model + "' not found");
            } else {
                answer(in, field(decoder, "response_format"), text(bytes.length));
            }
        } catch (IOException e) {
            in.answer().invalid(String.valueOf(e.getMessage()));
        } finally {
            decoder.destroy();
        }
    }

    private static String field(HttpPostRequestDecoder decoder, String name) throws IOException {
        InterfaceHttpData data = decoder.getBodyHttpData(name);
        return data instanceof Attribute attribute ? attribute.getValue() : "";
    }

    private String text(long seed) {
        Prose prose = new Prose(seed);
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= simulation.settings.tokens(); i++) {
            boolean last = i == simulation.settings.tokens();
            text.append(new String(prose.next(last), StandardCharsets.US_ASCII));
        }
        return text.toString();
    }

    private static void answer(Incoming in, String format, String text) {
        if (format.equals("text")) {
            in.answer().whole(200, Answer.TEXT, Json.ascii(text));
        } else {
            in.answer().whole(200, Answer.PLAIN_JSON, Json.line(json -> json.writeStringField("text", text)));
        }
    }
}
