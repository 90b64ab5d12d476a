package io.drover.proxy;

import io.drover.admission.AuthVerdict;
import io.drover.admission.AuthVerdict.Reason;
import io.drover.admission.Authenticator;
import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.http.Field;
import io.drover.http.HeadWriter;
import io.drover.http.MessageHead;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Who asks: finds the credentials in a request's head and has them checked. Of several one that is accepted is enough,
 * since clients send keys of other services without being asked. Immutable; any thread.
 */
public final class Authentication {
    private static final byte[] BEARER = HeadWriter.ascii("bearer");
    private static final byte[] BASIC = HeadWriter.ascii("basic");
    private static final byte[] NO_BYTES = {};

    /** Nobody has to prove anything. */
    public static final Authentication OFF = new Authentication();

    /** Where a credential may stand, in the order in which they are looked at. */
    private enum Place {
        PATH,
        AUTHORIZATION,
        API_KEY
    }

    private static final Place[] PLACES = Place.values();

    private final boolean on;
    private final @Nullable Authenticator keys;
    private final @Nullable Authenticator tokens;
    private final @Nullable Authenticator users;
    private final byte[] pathPrefix;
    private final byte[] challenge;
    private final AuthVerdict nothing;
    private final String hint;

    private Authentication() {
        on = false;
        keys = null;
        tokens = null;
        users = null;
        pathPrefix = NO_BYTES;
        challenge = NO_BYTES;
        nothing = AuthVerdict.refused(Reason.MISSING, "");
        hint = "";
    }

    /**
     * @param config whose mode is on
     * @param keys of API keys; null where they are not accepted
     * @param tokens of JWTs; null where they are not accepted
     * @param users of Basic; null where it is not accepted
     */
    public Authentication(
            Auth config, @Nullable Authenticator keys, @Nullable Authenticator tokens, @Nullable Authenticator users) {
        this.on = true;
        this.keys = keys;
        this.tokens = tokens;
        this.users = users;
        this.pathPrefix = keys == null ? NO_BYTES : HeadWriter.ascii(config.pathPrefix());
        boolean bearer = keys != null || tokens != null;
        byte[] both = HeadWriter.ascii((bearer ? "WWW-Authenticate: Bearer realm=\"drover\"\r\n" : "")
                + (users != null ? "WWW-Authenticate: Basic realm=\"drover\", charset=\"UTF-8\"\r\n" : ""));
        this.challenge = both;
        String wanted = keys != null ? "key" : tokens != null ? "token" : "name and password";
        this.nothing = AuthVerdict.refused(Reason.MISSING, "no " + wanted + " with the request");
        this.hint = hint(config);
    }

    private static String hint(Auth config) {
        List<String> ways = new ArrayList<>();
        if (config.mode().contains(AuthMode.API_KEY)) {
            ways.add("an API key as \"Authorization: Bearer KEY\" or \"x-api-key: KEY\"");
        }
        if (config.mode().contains(AuthMode.JWT)) {
            ways.add("a JWT as \"Authorization: Bearer TOKEN\"");
        }
        if (config.mode().contains(AuthMode.BASIC)) {
            ways.add("name and password as HTTP Basic");
        }
        boolean path =
                config.mode().contains(AuthMode.API_KEY) && !config.pathPrefix().isEmpty();
        return "send " + String.join(", or ", ways)
                + (path ? "; for the ollama CLI: OLLAMA_HOST=http://HOST:PORT" + config.pathPrefix() + "KEY" : "");
    }

    boolean isOn() {
        return on;
    }

    /** What a key in the path stands behind, a slash at both ends; empty: no key may stand there. */
    byte[] pathPrefix() {
        return pathPrefix;
    }

    /** The lines by which a 401 tells what is accepted (RFC 9110, 11.6.1). */
    byte[] challenge() {
        return challenge;
    }

    /** How to get in, for those who did not. */
    String hint() {
        return hint;
    }

    /**
     * What is known of the credentials in the head; of several that are refused, the first one's refusal.
     *
     * @param nowMillis since the epoch
     * @return null if one has to be verified first
     */
    @Nullable
    AuthVerdict known(MessageHead head, long nowMillis) {
        AuthVerdict refused = null;
        boolean unknown = false;
        for (Place place : PLACES) {
            Authenticator by = authenticator(place, head);
            if (by == null) {
                continue;
            }
            AuthVerdict verdict = by.known(head.bytes(), start(place, head), end(place, head), nowMillis);
            if (verdict == null) {
                unknown = true;
            } else if (verdict.principal() != null) {
                return verdict;
            } else if (refused == null) {
                refused = verdict;
            }
        }
        if (unknown) {
            return null;
        }
        return refused == null ? nothing : refused;
    }

    /** Verifies what is not {@link #known}; completes on any thread and never fails. */
    CompletionStage<AuthVerdict> verify(MessageHead head, long nowMillis) {
        CompletionStage<AuthVerdict> result = null;
        for (Place place : PLACES) {
            Authenticator by = authenticator(place, head);
            if (by != null) {
                byte[] credential = Arrays.copyOfRange(head.bytes(), start(place, head), end(place, head));
                result = result == null
                        ? by.verify(credential, nowMillis)
                        : result.thenCompose(before -> orElse(before, by, credential, nowMillis));
            }
        }
        return result == null ? CompletableFuture.completedStage(nothing) : result;
    }

    private static CompletionStage<AuthVerdict> orElse(
            AuthVerdict before, Authenticator by, byte[] credential, long nowMillis) {
        return before.principal() != null
                ? CompletableFuture.completedStage(before)
                : by.verify(credential, nowMillis).thenApply(now -> now.principal() == null ? before : now);
    }

    /** Who can check what stands there; null where nothing stands that anybody could check. */
    private @Nullable Authenticator authenticator(Place place, MessageHead head) {
        return switch (place) {
            case PATH -> head.hasSecret() ? keys : null;
            case API_KEY -> head.has(Field.X_API_KEY) ? keys : null;
            case AUTHORIZATION -> {
                int i = head.indexOf(Field.AUTHORIZATION, 0);
                if (i < 0) {
                    yield null;
                }
                if (isScheme(head, i, BASIC)) {
                    yield users;
                }
                boolean token = tokens != null && (keys == null || isToken(head, start(place, head), head.valueEnd(i)));
                yield isScheme(head, i, BEARER) ? (token ? tokens : keys) : null;
            }
        };
    }

    private static boolean isScheme(MessageHead head, int field, byte[] lowerCase) {
        int from = head.valueStart(field);
        int to = from + lowerCase.length;
        return to < head.valueEnd(field) && head.bytes()[to] == ' ' && head.textIs(from, to, lowerCase);
    }

    /** Whether it looks like a JWT: three parts with dots between them. A key has none. */
    private static boolean isToken(MessageHead head, int from, int to) {
        int dots = 0;
        for (int i = from; i < to; i++) {
            dots += head.bytes()[i] == '.' ? 1 : 0;
        }
        return dots == 2;
    }

    private static int start(Place place, MessageHead head) {
        return switch (place) {
            case PATH -> head.secretStart();
            case API_KEY -> head.valueStart(head.indexOf(Field.X_API_KEY, 0));
            case AUTHORIZATION -> {
                int i = head.indexOf(Field.AUTHORIZATION, 0);
                int at = head.valueStart(i);
                int end = head.valueEnd(i);
                while (at < end && head.bytes()[at] != ' ') {
                    at++;
                }
                while (at < end && head.bytes()[at] == ' ') {
                    at++;
                }
                yield at;
            }
        };
    }

    private static int end(Place place, MessageHead head) {
        return switch (place) {
            case PATH -> head.secretEnd();
            case API_KEY -> head.valueEnd(head.indexOf(Field.X_API_KEY, 0));
            case AUTHORIZATION -> head.valueEnd(head.indexOf(Field.AUTHORIZATION, 0));
        };
    }
}
