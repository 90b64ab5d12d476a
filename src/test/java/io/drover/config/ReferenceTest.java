package io.drover.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import io.drover.config.DroverConfig.BackendConfig;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code reference.conf} and the code know the same keys. */
final class ReferenceTest {
    private static final String OVERRIDES = "# Environment:";

    private String text = "";
    private final Map<String, ConfigValue> keys = new TreeMap<>();

    @BeforeEach
    void read() throws IOException {
        text = Files.readString(Path.of("src/main/resources/reference.conf"));
        Config defaults = ConfigFactory.parseString(text.substring(0, text.indexOf(OVERRIDES)));
        collect("drover", defaults.getObject("drover"));
        collect("drover.backends[]", defaults.getObject("backend-entry"));
    }

    private void collect(String parent, ConfigObject object) {
        object.forEach((name, value) -> {
            if (value instanceof ConfigObject below) {
                collect(parent + "." + name, below);
            } else {
                keys.put(parent + "." + name, value);
            }
        });
    }

    @Test
    void everyKeyHasAComment() {
        assertThat(keys).hasSizeGreaterThan(70);
        assertThat(keys)
                .allSatisfy((key, value) ->
                        assertThat(value.origin().comments()).as(key).hasSize(1));
    }

    @Test
    void everyKeyHasItsVariableAndNoOtherHas() {
        List<String> expected = keys.keySet().stream()
                .filter(key -> !key.startsWith("drover.backends[]"))
                .map(key -> key + " = ${?" + EnvironmentVariables.nameOf(key) + "}")
                .toList();
        String overrides = text.substring(text.indexOf('\n', text.indexOf(OVERRIDES)) + 1);

        assertThat(overrides.lines()).containsExactlyInAnyOrderElementsOf(expected);
        assertThat(expected.stream().map(line -> line.replaceAll(".*=", ""))).doesNotHaveDuplicates();
    }

    @Test
    void everyKeyIsReadAndNoOther() throws ConfigException {
        ConfigLoader loader =
                new ConfigLoader(new ConfigSource(Optional.empty(), Map.of(), List.of("http://gpu1:11434"), Map.of()));
        loader.load();

        assertThat(loader.readKeys()).containsExactlyInAnyOrderElementsOf(keys.keySet());
    }

    @Test
    void everyRecordComponentIsAKey() {
        List<String> components = new ArrayList<>();
        addComponents("drover", DroverConfig.class, components);
        addComponents("drover.backends[]", BackendConfig.class, components);

        assertThat(components).hasSizeGreaterThan(50);
        Set<String> missing = new TreeSet<>(components);
        // A variable's name has _ for the dot too: a component may be named for a key of a section without a record.
        Set<String> variables =
                keys.keySet().stream().map(EnvironmentVariables::nameOf).collect(java.util.stream.Collectors.toSet());
        missing.removeIf(key -> variables.contains(EnvironmentVariables.nameOf(key)));
        assertThat(missing).isEmpty();
    }

    /** Of a list; else nothing. */
    private static Class<?> elementOf(RecordComponent component) {
        return component.getGenericType() instanceof ParameterizedType list
                        && component.getType() == List.class
                        && list.getActualTypeArguments()[0] instanceof Class<?> element
                ? element
                : void.class;
    }

    private void addComponents(String parent, Class<?> type, List<String> components) {
        for (RecordComponent component : type.getRecordComponents()) {
            String key = parent + "."
                    + component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
            Class<?> element = elementOf(component);
            if (keys.containsKey(key)) {
                components.add(key);
            } else if (component.getType().isRecord()) {
                addComponents(key, component.getType(), components);
            } else if (element.isRecord()) {
                addComponents(key, element, components);
            } else {
                components.add(key);
            }
        }
    }
}
