package io.drover.cache;

/**
 * Who answers a request, and for whom: what its answer depends on beside its body.
 *
 * @param modelDigest of the model as the backends' listings tell it
 * @param backendVersion as {@code /api/version} tells it: defaults, templates and samplers change between releases
 * @param tenant empty where all callers share answers
 */
public record Asked(String modelDigest, String backendVersion, String tenant) {}
