package io.drover.config;

import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An object of the configuration that is being read. A value that is wrong is reported and read as its default, so
 * that reading goes on and finds every other problem. One thread.
 */
final class Section {
    private final String parent;
    private final String readAs;
    private final ConfigObject values;
    private final ConfigObject defaults;
    private final Findings findings;
    private final Set<String> wrong = new HashSet<>();

    /**
     * @param parent the key of the object itself, for problems
     * @param readAs the same with {@code []} for positions in a list
     */
    Section(String parent, String readAs, ConfigObject values, ConfigObject defaults, Findings findings) {
        this.parent = parent;
        this.readAs = readAs;
        this.values = values;
        this.defaults = defaults;
        this.findings = findings;
    }

    /** @param path below this section, as in {@code timeouts.idle} */
    <T> T get(String path, Kind<T> kind) {
        return valid(path, kind).orElseGet(() -> defaultOf(path, kind));
    }

    /** Empty if the value is wrong, which has then been reported. */
    <T> Optional<T> valid(String path, Kind<T> kind) {
        return read(path, path, find(path), kind);
    }

    /** A list, or text with commas in it; wrong elements are left out. */
    <T> List<T> list(String path, Kind<T> kind) {
        List<T> result = new ArrayList<>();
        List<ConfigValue> elements = elements(path);
        for (int i = 0; i < elements.size(); i++) {
            String key = elements.size() == 1 ? path : path + "[" + i + "]";
            read(path, key, elements.get(i), kind).ifPresent(result::add);
        }
        return result;
    }

    /** The values in a list, or of text with commas in it. */
    List<ConfigValue> elements(String path) {
        ConfigValue value = find(path);
        if (value instanceof ConfigList list) {
            return list;
        }
        List<ConfigValue> elements = new ArrayList<>();
        try {
            for (String part : Kind.scalar(value, "a list").split(",")) {
                if (!part.isBlank()) {
                    elements.add(ConfigValueFactory.fromAnyRef(part.trim()).withOrigin(value.origin()));
                }
            }
        } catch (WrongValueException notAList) {
            problem(path, path, value, notAList.expected());
        }
        return elements;
    }

    /** The object that stands at {@code path}, or those of a list there; what is none is reported and left out. */
    List<Section> sections(String path) {
        ConfigValue value = look(path);
        ConfigObject below = (ConfigObject) defaultOf(path);
        List<Section> sections = new ArrayList<>();
        if (value instanceof ConfigList list) {
            for (int i = 0; i < list.size(); i++) {
                if (list.get(i) instanceof ConfigObject object) {
                    sections.add(section(path, "[" + i + "]", object, below));
                } else {
                    reportNoObject(path + "[" + i + "]", list.get(i));
                }
            }
        } else if (value instanceof ConfigObject object) {
            sections.add(section(path, "", object, below));
        } else {
            reportNoObject(path, value);
        }
        return sections;
    }

    private Section section(String path, String index, ConfigObject values, ConfigObject below) {
        return new Section(parent + "." + path + index, readAs + "." + path, values, below, findings);
    }

    /** A secret that stands at {@code path}, or in the file named at {@code path-file}; empty if at neither. */
    Optional<String> secret(String path, Kind<String> kind) {
        String filePath = path + "-file";
        String inline = get(path, kind);
        String file = get(filePath, Kind.TEXT);
        if (file.isEmpty()) {
            return Optional.of(inline).filter(secret -> !secret.isEmpty());
        }
        if (!inline.isEmpty() || wrong.contains(path)) {
            problem(filePath, "nothing, since " + parent + "." + path + " is set too");
            return Optional.empty();
        }
        try {
            String content = Files.readString(Path.of(file)).trim();
            if (content.isEmpty()) {
                problem(filePath, "a file that is not empty");
            }
            return Optional.of(kind.read(ConfigValueFactory.fromAnyRef(content)));
        } catch (IOException | IllegalArgumentException unreadable) {
            problem(filePath, "a readable file");
        } catch (WrongValueException wrongContent) {
            problem(filePath, "a file that holds " + wrongContent.expected());
        }
        return Optional.empty();
    }

    /** Checks a value that nothing uses yet, and warns of it if it is not the default. */
    <T> void acceptUnused(String path, Kind<T> kind) {
        Optional<T> value = valid(path, kind);
        if (value.isPresent() && !value.get().equals(defaultOf(path, kind))) {
            findings.warning(
                    parent + "." + path,
                    find(path),
                    Findings.show("", defaultOf(path)) + ", the default; accepted, not effective in this version");
        }
    }

    /** Reports a value that is valid by itself and wrong beside another. */
    void problem(String path, String expected) {
        problem(path, path, find(path), expected);
    }

    /** Warns of a value that is valid and had better be another, or is of little use beside another. */
    void warning(String path, String expected) {
        findings.warning(parent + "." + path, find(path), expected);
    }

    /** Whether the value has been reported as wrong. */
    boolean isWrong(String path) {
        return wrong.contains(path);
    }

    /** Whether it is as if nobody had set it. */
    boolean isDefault(String path) {
        return find(path).equals(defaultOf(path));
    }

    private <T> Optional<T> read(String path, String key, ConfigValue value, Kind<T> kind) {
        try {
            return Optional.of(kind.read(value));
        } catch (WrongValueException unexpected) {
            problem(path, key, value, unexpected.expected());
            return Optional.empty();
        }
    }

    private void problem(String path, String key, ConfigValue value, String expected) {
        wrong.add(path);
        findings.problem(parent + "." + key, value, expected);
    }

    private ConfigValue find(String path) {
        findings.read(readAs + "." + path);
        return look(path);
    }

    private ConfigValue look(String path) {
        ConfigValue value = values;
        int start = 0;
        while (start < path.length()) {
            if (!(value instanceof ConfigObject object)) {
                reportNoObject(path.substring(0, start - 1), value);
                return defaultOf(path);
            }
            int dot = path.indexOf('.', start);
            int end = dot < 0 ? path.length() : dot;
            value = object.get(path.substring(start, end));
            if (value == null) {
                return defaultOf(path);
            }
            start = end + 1;
        }
        return value;
    }

    /** Only the type of what stands there is told: its text may hold the secrets of the keys below. */
    private void reportNoObject(String path, ConfigValue value) {
        boolean laterList = value.valueType() == ConfigValueType.LIST && LaterKeys.LISTS.contains(path);
        findings.problem(
                parent + "." + path,
                value.origin(),
                switch (value.valueType()) {
                    case LIST -> "a list";
                    case STRING -> "a string";
                    default -> Findings.show("", value);
                },
                laterList ? "an object; a list is not available in this version" : "an object");
    }

    private <T> T defaultOf(String path, Kind<T> kind) {
        try {
            return kind.read(defaultOf(path));
        } catch (WrongValueException wrongDefault) {
            throw new IllegalStateException(Findings.REFERENCE + ": " + parent + "." + path, wrongDefault);
        }
    }

    private ConfigValue defaultOf(String path) {
        ConfigValue value = defaults;
        for (String name : path.split("\\.")) {
            value = value instanceof ConfigObject object ? object.get(name) : null;
        }
        if (value == null) {
            throw new IllegalStateException(Findings.REFERENCE + " lacks " + parent + "." + path);
        }
        return value;
    }
}
