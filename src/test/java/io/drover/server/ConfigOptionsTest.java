package io.drover.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.drover.config.ConfigSource;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The arguments of {@code run} are read in two ways, which must never differ: without picocli, and by it. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ConfigOptionsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "run",
                "run -c drover.conf",
                "run --config /etc/drover.conf --listen 0.0.0.0:80",
                "run --backend http://a:1 --backend http://b:2 -c x.conf",
                "run --backend http://a:1,http://b:2",
                "run --set retry.attempts=3 --set redis.uri=redis://h:1/?a=b --set drain-delay=",
                "run --set retry.attempts=3 --set retry.attempts=4",
            })
    void plain_arguments_mean_what_they_mean_to_picocli(String line) {
        String[] arguments = line.split(" ");
        assertThat(ConfigOptions.ofPlainRun(arguments).map(ConfigOptions::source))
                .contains(byPicocli(arguments));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "check -c drover.conf",
                "demo",
                "run --help",
                "run -h",
                "run -c",
                "run drover.conf",
                "run -cdrover.conf",
                "run --config=drover.conf x",
                "run -c a.conf -c b.conf",
                "run --listen :1 --listen :2",
                "run -c @arguments",
                "run --listen --backend",
                "run --set retry.attempts",
                "run --set =3",
                "run --set a=\"b\"",
                "run --no-such option",
            })
    void anything_else_is_left_to_picocli(String line) {
        assertThat(ConfigOptions.ofPlainRun(line.isEmpty() ? new String[0] : line.split(" ")))
                .isEmpty();
    }

    private static ConfigSource byPicocli(String... arguments) {
        CommandLine.ParseResult parsed = Main.commandLine().parseArgs(arguments).subcommand();
        return ((RunCommand) parsed.commandSpec().userObject()).options.source();
    }
}
