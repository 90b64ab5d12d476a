package io.drover.admission;

import java.util.List;
import java.util.stream.Collectors;

/** What is said of a caller has mistakes; the message tells all of them and nothing secret. Stackless: it is a result. */
public final class FieldsException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<FieldProblem> problems;

    FieldsException(List<FieldProblem> problems) {
        super(problems.stream().map(FieldProblem::toString).collect(Collectors.joining("; ")), null, false, false);
        this.problems = List.copyOf(problems);
    }

    /** At least one. */
    public List<FieldProblem> problems() {
        return problems;
    }
}
