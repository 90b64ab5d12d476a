package io.drover.config;

import io.drover.config.DroverConfig.Auth;
import io.drover.config.DroverConfig.AuthMode;
import io.drover.config.DroverConfig.Jwt;

/** Checks that tokens and passwords have what they need where they are on, and that nothing is set where they are off. */
final class AuthRelations {
    private final Section drover;
    private final Auth auth;

    AuthRelations(Section drover, DroverConfig config) {
        this.drover = drover;
        this.auth = config.auth();
    }

    void check() {
        if (drover.isWrong("auth.mode")) {
            return;
        }
        if (auth.mode().isEmpty()
                || (auth.mode().contains(AuthMode.NONE) && auth.mode().size() > 1)) {
            drover.problem("auth.mode", "none alone, or those that are accepted");
            return;
        }
        checkTokens();
        checkUsers();
    }

    private void checkTokens() {
        Jwt jwt = auth.jwt();
        boolean isOn = auth.mode().contains(AuthMode.JWT);
        boolean hasUri = jwt.jwksUri().isPresent();
        boolean hasFile = jwt.jwksFile().isPresent();
        if (hasUri && hasFile) {
            drover.problem("auth.jwt.jwks-file", "nothing, since drover.auth.jwt.jwks-uri is set too");
        } else if (isOn && !hasUri && !hasFile && areRight("auth.jwt.jwks-uri", "auth.jwt.jwks-file")) {
            drover.problem("auth.mode", "drover.auth.jwt.jwks-uri or drover.auth.jwt.jwks-file beside jwt");
        }
        if (isOn && jwt.algorithms().isEmpty() && areRight("auth.jwt.algorithms")) {
            drover.problem("auth.jwt.algorithms", "at least one");
        }
        if (isOn && jwt.nameClaim().isEmpty() && areRight("auth.jwt.name-claim")) {
            drover.problem("auth.jwt.name-claim", "a claim's name");
        }
        if (!isOn && (hasUri || hasFile)) {
            drover.problem(
                    hasUri ? "auth.jwt.jwks-uri" : "auth.jwt.jwks-file", "nothing, since drover.auth.mode lacks jwt");
        }
    }

    private void checkUsers() {
        boolean isOn = auth.mode().contains(AuthMode.BASIC);
        boolean hasFile = auth.usersFile().isPresent();
        if (isOn && !hasFile && areRight("auth.users-file")) {
            drover.problem("auth.mode", "drover.auth.users-file beside basic");
        }
        if (!isOn && hasFile) {
            drover.problem("auth.users-file", "nothing, since drover.auth.mode lacks basic");
        }
    }

    private boolean areRight(String... paths) {
        for (String path : paths) {
            if (drover.isWrong(path)) {
                return false;
            }
        }
        return true;
    }
}
