package io.drover.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** A way in which a backend fails, and what ends it. */
enum Disaster {
    KILL("killed", 8, 6),
    FREEZE("frozen", 9, 4.5),
    SLOW("slowed to a tenth", 14, 10),
    ERROR_500("answers 500", 8, 3),
    ERROR_503("answers 503", 8, 3),
    CUT("cuts streams", 8, 3),
    RESTART("restarted", 0, 0);

    private static final double TENTH = RunningBackend.PACE / 10;
    private static final int LINES_BEFORE_THE_CUT = 5;

    private final String words;
    private final double seconds;
    private final double quickSeconds;

    Disaster(String words, double seconds, double quickSeconds) {
        this.words = words;
        this.seconds = seconds;
        this.quickSeconds = quickSeconds;
    }

    /** By its name of the command line: {@code 500} or {@code error-500}. */
    static Disaster of(String name) {
        String wanted = name.replace('-', '_');
        return Arrays.stream(values())
                .filter(each ->
                        each.name().equalsIgnoreCase(wanted) || each.name().equalsIgnoreCase("ERROR_" + wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("--only " + name + " (expected: some of "
                        + Arrays.stream(values()).map(Disaster::option).collect(Collectors.joining(", ")) + ")"));
    }

    String option() {
        return name().replaceFirst("^ERROR_", "").toLowerCase(Locale.ROOT);
    }

    /** What has become of the backend, for the table. */
    String words() {
        return words;
    }

    Duration lasts(boolean quick) {
        return Duration.ofMillis((long) (1000 * (quick ? quickSeconds : seconds)));
    }

    /** Whether the backend's process is gone, so that it cannot tell what it was asked. */
    boolean isAbsence() {
        return this == KILL || this == RESTART;
    }

    void strike(RunningBackend backend) throws IOException {
        switch (this) {
            case KILL -> backend.kill();
            case RESTART -> backend.terminate();
            case FREEZE -> backend.signal("STOP");
            case SLOW -> backend.tell("pace " + TENTH);
            case ERROR_500 -> backend.tell("fault ERROR_500_RUNNER 0");
            case ERROR_503 -> backend.tell("fault UNAVAILABLE_503 0");
            case CUT -> backend.tell("fault DIE_MID_STREAM " + LINES_BEFORE_THE_CUT);
        }
    }

    void end(RunningBackend backend) throws IOException {
        switch (this) {
            case KILL, RESTART -> backend.start();
            case FREEZE -> backend.signal("CONT");
            case SLOW -> backend.tell("pace " + RunningBackend.PACE);
            case ERROR_500, ERROR_503, CUT -> backend.tell("clear");
        }
    }
}
