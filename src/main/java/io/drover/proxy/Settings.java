package io.drover.proxy;

import io.drover.admission.AccessList;
import io.drover.admission.RequestRules;
import io.drover.backend.Cluster;
import io.drover.backend.LoadBalancer;
import io.drover.config.DroverConfig;
import io.drover.ollama.Origins;
import io.drover.tls.ServerTls;
import io.drover.upstream.UpstreamSettings;
import org.jspecify.annotations.Nullable;

/**
 * What a reload changes, as one: whoever holds it sees either all of the old or all of the new.
 *
 * @param tls of the proxy port; null where that speaks plain HTTP
 */
record Settings(
        DroverConfig config,
        Cluster cluster,
        LoadBalancer balancer,
        Authentication authentication,
        AccessList access,
        Admission admission,
        RequestRules rules,
        Origins origins,
        UpstreamSettings upstream,
        @Nullable ServerTls tls) {}
