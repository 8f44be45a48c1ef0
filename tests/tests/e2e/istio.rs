//! The files in `envoy/istio/` against the published schemas of Istio and Kubernetes.
