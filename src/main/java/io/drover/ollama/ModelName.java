package io.drover.ollama;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The name of a model as a request gives it, and what it is the same as.
 *
 * @param requested as in the request
 * @param key equal for all spellings of one model: host, namespace and tag filled in, in lower case; a cloud model's
 *     ends in {@code @cloud}, which no name contains, since a backend's own model of that name is another one
 * @param isCloud whether a backend passes the request on to ollama.com
 */
public record ModelName(String requested, String key, boolean isCloud) {
    private static final String HOST = "registry.ollama.ai";
    private static final String NAMESPACE = "library";
    private static final String TAG = "latest";
    private static final String CLOUD_TAG_END = "-cloud";
    private static final String CLOUD_MARK = "@cloud";

    /** Of a key without the cloud's mark. */
    private static final Pattern VALID =
            Pattern.compile("[a-z0-9_][a-z0-9_.:-]{0,349}/[a-z0-9_][a-z0-9_-]{0,79}/[a-z0-9_][a-z0-9_.-]{0,79}"
                    + ":[a-z0-9_][a-z0-9_.-]{0,79}");

    /** Reads any text; one that is no valid name gets a key too, which no backend's model has. */
    public static ModelName of(String requested) {
        String name = requested.strip().toLowerCase(Locale.ROOT);
        int colon = name.lastIndexOf(':');
        String suffix = name.substring(colon + 1).strip();
        boolean cloud = false;
        if (colon >= 0 && suffix.equals("cloud")) {
            cloud = true;
            name = name.substring(0, colon);
        } else if (colon >= 0 && suffix.equals("local")) {
            name = name.substring(0, colon);
        } else if (colon > name.lastIndexOf('/') && suffix.endsWith(CLOUD_TAG_END)) {
            cloud = true;
            name = name.substring(0, name.length() - CLOUD_TAG_END.length());
        }
        String key = filled(name.strip());
        return new ModelName(requested, cloud ? key + CLOUD_MARK : key, cloud);
    }

    /** Whether the name keeps to Ollama's grammar; a backend answers 400 to one that does not. Not for each request. */
    public boolean isValid() {
        String name = isCloud ? key.substring(0, key.length() - CLOUD_MARK.length()) : key;
        return VALID.matcher(name).matches();
    }

    /** A key as people write the name: without the host and the namespace of Ollama's library, but with its tag. */
    public static String shortened(String key) {
        String usual = HOST + '/' + NAMESPACE + '/';
        return key.startsWith(usual) ? key.substring(usual.length()) : key;
    }

    /** {@code [scheme://][host/][namespace/]model[:tag]} with every part but the scheme, which has no meaning here. */
    private static String filled(String name) {
        int scheme = name.indexOf("://");
        String rest = scheme < 0 ? name : name.substring(scheme + 3);
        int slash = rest.lastIndexOf('/');
        int colon = rest.lastIndexOf(':');
        boolean tagged = colon > slash;
        String tag = tagged && colon + 1 < rest.length() ? rest.substring(colon + 1) : TAG;
        String model = rest.substring(slash + 1, tagged ? colon : rest.length());
        String path = slash < 0 ? "" : rest.substring(0, slash);
        int hostEnd = path.lastIndexOf('/');
        String host = hostEnd < 0 ? HOST : path.substring(0, hostEnd);
        String namespace = path.isEmpty() ? NAMESPACE : path.substring(hostEnd + 1);
        return host + '/' + namespace + '/' + model + ':' + tag;
    }
}
