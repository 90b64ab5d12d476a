package io.drover.server;

/** The {@code drover} command. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {}
}
