/**
 * The stack around Drover: that what Prometheus, Alertmanager and Grafana are told in {@code docker} fits what Drover says.
 * Start reading at {@link io.drover.deploy.MonitoringTest}.
 */
@NullMarked
package io.drover.deploy;

import org.jspecify.annotations.NullMarked;
