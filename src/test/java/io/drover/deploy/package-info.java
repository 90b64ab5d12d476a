/**
 * What is in {@code docker/}: that its files fit to each other, to Drover and to the schemas of those that read them, and
 * that its scripts do what they are there for.
 */
package io.drover.deploy;
