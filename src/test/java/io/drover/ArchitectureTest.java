package io.drover;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.USE_JAVA_UTIL_LOGGING;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The layers and the house rules that a machine can check. */
class ArchitectureTest {
    /** What each package may import of ours; arrows only point downwards. */
    private static final Map<String, List<String>> MAY_IMPORT = new TreeMap<>(Map.ofEntries(
            entry("config"),
            entry("http"),
            entry("demo"),
            entry("tls", "config"),
            entry("metrics", "config"),
            entry("ollama", "http"),
            entry("backend", "ollama", "metrics", "config"),
            entry("admission", "ollama", "metrics", "config"),
            entry("cache", "http", "ollama", "metrics", "config"),
            entry("health", "backend", "tls", "http", "ollama", "metrics", "config"),
            entry("upstream", "backend", "tls", "http", "metrics", "config"),
            entry("proxy", "upstream", "tls", "cache", "admission", "backend", "ollama", "metrics", "http", "config")));

    private static final JavaClasses OURS = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.drover");

    @Test
    void everyClassIsInAPackageOfTheTable() {
        assertThat(OURS).hasSizeGreaterThan(50);
        classes()
                .should()
                .resideInAnyPackage(packages("server", MAY_IMPORT.keySet().toArray(String[]::new)))
                .check(OURS);
    }

    @ParameterizedTest
    @MethodSource
    void aPackageImportsOnlyWhatLiesBelowIt(String name) {
        String[] allowed =
                packages(name, MAY_IMPORT.getOrDefault(name, List.of()).toArray(String[]::new));
        noClasses()
                .that()
                .resideInAPackage("io.drover." + name)
                .should()
                .dependOnClassesThat(resideInAPackage("io.drover..").and(not(resideInAnyPackage(allowed))))
                .allowEmptyShould(true)
                .check(OURS);
    }

    static Iterable<String> aPackageImportsOnlyWhatLiesBelowIt() {
        return MAY_IMPORT.keySet();
    }

    @Test
    void thereAreNoCycles() {
        slices().matching("io.drover.(*)..").should().beFreeOfCycles().check(OURS);
    }

    @Test
    void librariesStayWhereTheyAreWrapped() {
        only("io.netty.channel..", "upstream", "proxy", "server", "health", "tls", "demo");
        only("io.netty.bootstrap..", "upstream", "proxy", "server", "health", "demo");
        only("io.netty..", "http", "ollama", "cache", "upstream", "proxy", "server", "health", "tls", "demo");
        only("io.netty.handler.ssl..", "tls", "upstream", "proxy", "health");
        only("io.lettuce..", "cache");
        only("org.apache.lucene..", "cache");
        only("com.typesafe..", "config");
        only("com.github.benmanes..", "admission", "cache");
        only("com.nimbusds..", "admission");
        only("at.favre..", "admission");
        only("org.apache.commons.codec..", "admission");
        only("io.prometheus..", "metrics");
        only("picocli..", "server");
    }

    private static void only(String library, String... names) {
        noClasses()
                .that()
                .resideOutsideOfPackages(packages(names[0], names))
                .should()
                .dependOnClassesThat(resideInAPackage(library))
                .check(OURS);
    }

    @Test
    void logsGoThroughSlf4jAndOnlyCommandsPrint() {
        noClasses().should(USE_JAVA_UTIL_LOGGING).check(OURS);
        noClasses()
                .that()
                .resideOutsideOfPackages(packages("server", "demo"))
                .should(ACCESS_STANDARD_STREAMS)
                .check(OURS);
    }

    @Test
    void classesAreFinal() {
        classes().that(areMeantToBeFinal()).should(beFinal()).check(OURS);
    }

    /** An abstract class that nobody else can see may have subclasses; a constant's body makes its enum one. */
    private static DescribedPredicate<JavaClass> areMeantToBeFinal() {
        return DescribedPredicate.describe(
                "are classes",
                type -> !type.isInterface()
                        && !type.isEnum()
                        && !type.isAnonymousClass()
                        && !(type.getModifiers().contains(JavaModifier.ABSTRACT)
                                && !type.getModifiers().contains(JavaModifier.PUBLIC)));
    }

    private static ArchCondition<JavaClass> beFinal() {
        return new ArchCondition<>("be final") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                boolean ok = type.getModifiers().contains(JavaModifier.FINAL);
                events.add(new SimpleConditionEvent(type, ok, type.getName() + " is " + (ok ? "" : "not ") + "final"));
            }
        };
    }

    private static Map.Entry<String, List<String>> entry(String name, String... imports) {
        return Map.entry(name, List.of(imports));
    }

    private static String[] packages(String first, String... others) {
        String[] all = Arrays.copyOf(others, others.length + 1);
        all[others.length] = first;
        return Arrays.stream(all).map(name -> "io.drover." + name).toArray(String[]::new);
    }
}
