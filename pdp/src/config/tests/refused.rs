//! Bad configurations, each with the one message a person must see.

/// One problem each: the text, then the whole message.
#[rustfmt::skip]
pub(super) const REFUSED: &[(&str, &str)] = &[
    // Shape.
    ("listn: []", "listn: is not known: it must be one of `environment`, `listen`, `admin`, `workers`, `policies`, `limits`, `key_cache`, `sync`, `issuers`, `trust_domains` (line 1)"),
    ("workers: 1\nworkers: 2", "workers: stands here twice: remove one (line 2)"),
    ("workers: many", "workers: invalid u32 (line 1)"),
    ("admin: {}", "admin.tcp: is missing: it has no default (line 1)"),
    ("sync: {max_wait: [1]}", "sync.max_wait: expected string scalar (line 1)"),
    // Values.
    ("environment: test", "environment: `test` is neither `production` nor `development` (line 1)"),
    ("workers: 0", "workers: 0 is out of range: it must be 1 to 1024 (line 1)"),
    ("listen: []", "listen: must not be empty: name a `tcp` address or a `unix` socket (line 1)"),
    ("listen: [{}]", "listen[0]: must have exactly one of `tcp`, `unix` (line 1)"),
    ("listen:\n- {tcp: '127.0.0.1:1', unix: s}", "listen[0]: has `tcp` and `unix`: keep exactly one (line 2)"),
    ("listen: [{tcp: '8181'}]", "listen[0].tcp: `8181` is not an address with a port: write one such as `127.0.0.1:8181` (line 1)"),
    ("listen: [{tcp: '0.0.0.0:1'}]", "listen[0]: would serve decisions unencrypted beyond this machine: set `tls`, or `plaintext: true` where a service mesh protects it (line 1)"),
    ("listen: [{tcp: 'localhost:1'}, {tcp: '127.0.0.1:1'}]", "listen[1]: listens where another one does: remove one of them (line 1)"),
    ("listen: [{unix: s, mode: '0999'}]", "listen[0].mode: `0999` is not a file mode: write three octal digits in quotes, such as \"0660\" (line 1)"),
    ("listen: [{tcp: '127.0.0.1:1', mode: '660'}]", "listen[0].mode: is only for `unix` sockets: remove it (line 1)"),
    ("listen: [{unix: s, plaintext: true}]", "listen[0]: `tls` and `plaintext` are only for `tcp`: remove them (line 1)"),
    ("admin: {tcp: '127.0.0.1:8181'}", "admin.tcp: is also in `listen`: give it a port of its own (line 1)"),
    ("policies: {directory: p, entrypoint: authz.allow}", "policies.entrypoint: `authz.allow` is not a rule: write one such as `data.edgeward.authz.decision` (line 1)"),
    ("policies: {directory: p, evaluation_timeout: 100}", "policies.evaluation_timeout: `100` is not a duration: write a number with a unit, such as `100ms`, `60s` or `5m` (line 1)"),
    ("policies: {directory: p, evaluation_timeout: 1h}", "policies.evaluation_timeout: `1h` is out of range: it must be 1ms to 10s (line 1)"),
    ("limits: {body: 1GB}", "limits.body: `1GB` is not a size: write a number of bytes, or one with `KiB` or `MiB` (line 1)"),
    ("limits: {body: 65MiB}", "limits.body: 68157440 is out of range: it must be 1024 to 67108864 (line 1)"),
    ("key_cache: {directory: c, max_age: 5s}", "key_cache.max_age: `5s` is out of range: it must be 1m to 30days (line 1)"),
    // Issuers.
    ("issuers:\n- issuer: https://a\n  keys: {discovery: true}", "issuers[0].audiences: must not be empty: list what this PDP is called in tokens (line 2)"),
    ("issuers: [{issuer: 'https://a', keys: {discovery: true}, audiences: ['']}]", "issuers[0].audiences[0]: must not be empty: remove it (line 1)"),
    ("issuers: [{issuer: 'a b', keys: {file: k}, audiences: [e]}]", "issuers[0].issuer: issuer must be 1 to 2048 printable characters without spaces or `|` (line 1)"),
    ("issuers: [{issuer: a, keys: {}, audiences: [e]}]", "issuers[0].keys: must have exactly one of `discovery`, `jwks_url`, `file`, `inline` (line 1)"),
    ("issuers: [{issuer: a, keys: {discovery: true, file: k}, audiences: [e]}]", "issuers[0].keys: has `discovery` and `file`: keep exactly one (line 1)"),
    ("issuers: [{issuer: a, keys: {discovery: true}, audiences: [e]}]", "issuers[0].issuer: `a` is not a URL: relative URL without a base (line 1)"),
    ("issuers: [{issuer: a, keys: {jwks_url: 'http://127.0.0.1/'}, audiences: [e]}]", "issuers[0].keys.jwks_url: `http://127.0.0.1/` must begin with `https://` (line 1)"),
    ("environment: development\nissuers: [{issuer: a, keys: {jwks_url: 'http://b/'}, audiences: [e]}]", "issuers[0].keys.jwks_url: `http://b/` is plain http: only allowed to a loopback host, for development (line 2)"),
    ("issuers: [{issuer: a, keys: {file: k}, audiences: [e], fetch: {}}]", "issuers[0].fetch: is only for keys that come from a URL: remove it (line 1)"),
    ("issuers: [{issuer: a, keys: {inline: {keys: [{kty: oct}]}}, audiences: [e]}]", "issuers[0].keys.inline: keys[0]: key is symmetric: a published secret verifies nothing (line 1)"),
    ("issuers: [{issuer: a, keys: {file: k}, audiences: [e], algorithms: [none]}]", "issuers[0].algorithms[0]: `none` is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA (line 1)"),
    ("issuers: [{issuer: a, keys: {file: k}, audiences: [e], algorithms: [HS256]}]", "issuers[0].algorithms[0]: `HS256` is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA (line 1)"),
    ("issuers: [{issuer: a, keys: {file: k}, audiences: [e], types: []}]", "issuers[0].types: must not be empty: leave it out to accept the defaults (line 1)"),
    ("issuers: [{issuer: a, keys: {file: k}, audiences: [e], leeway: 6m}]", "issuers[0].leeway: `6m` is out of range: it must be 0s to 5m (line 1)"),
    ("issuers:\n- {issuer: a, keys: {file: k}, audiences: [e]}\n- {issuer: a, keys: {file: k}, audiences: [e]}", "issuers[1].issuer: `a` is listed twice: merge the two entries (line 3)"),
    // Trust domains.
    ("trust_domains: [{name: Example.org, bundle: {file: b}, audiences: [e]}]", "trust_domains[0].name: trust domain has a character outside `a-z0-9.-_` (line 1)"),
    ("trust_domains: [{name: example.org, bundle: {file: b}}]", "trust_domains[0].audiences: must not be empty: list what this PDP is called in tokens (line 1)"),
    ("trust_domains: [{name: example.org, bundle: {}, audiences: [e]}]", "trust_domains[0].bundle: must have exactly one of `file`, `https_web`, `https_spiffe`, `workload_api`, `inline` (line 1)"),
    ("trust_domains: [{name: example.org, bundle: {file: b}, audiences: [e], algorithms: [ES256, EdDSA]}]", "trust_domains[0].algorithms: EdDSA is not a JWT-SVID algorithm (line 1)"),
    ("trust_domains: [{name: example.org, bundle: {workload_api: {socket: agent.sock}}, audiences: [e]}]", "trust_domains[0].bundle.workload_api.socket: `agent.sock` is not an absolute path: write one such as `unix:///run/spire/agent.sock` (line 1)"),
    ("trust_domains: [{name: example.org, bundle: {https_spiffe: {url: 'https://b/', endpoint_spiffe_id: 'spiffe://', initial_bundle: b}}, audiences: [e]}]", "trust_domains[0].bundle.https_spiffe.endpoint_spiffe_id: trust domain is missing (line 1)"),
];
