package io.drover.testing;

import java.util.Optional;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/** Adds to a failure which case it was: the build's report names neither a method's arguments nor a class's. */
public final class FailedCase implements TestExecutionExceptionHandler {
    private static final class Case extends Exception {
        private static final long serialVersionUID = 1;

        Case(String name) {
            super(name, null, false, false);
        }
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        failure.addSuppressed(new Case(name(context)));
        throw failure;
    }

    private static String name(ExtensionContext context) {
        Optional<ExtensionContext> parent = context.getParent().filter(c -> c != context.getRoot());
        return parent.map(c -> name(c) + " > ").orElse("") + context.getDisplayName();
    }
}
