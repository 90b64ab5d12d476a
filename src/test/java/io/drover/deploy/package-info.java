/**
<<<<<<< HEAD
 * What is in {@code docker/}: that its files fit to each other, to Drover and to the schemas of those that read them, and
 * that its scripts do what they are there for.
=======
 * The stack around Drover: that what Prometheus, Alertmanager and Grafana are told in {@code docker} fits what Drover says.
 * Start reading at {@link io.drover.deploy.MonitoringTest}.
>>>>>>> monitoring
 */
@NullMarked
package io.drover.deploy;

import org.jspecify.annotations.NullMarked;
