#!/usr/bin/env bash
# The receipts of a server that serves: shared sockets and reuse_port, 1 and 4 workers, many clients; and
# of a proxy, whose upstream is another process.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
clients=${CLIENTS:-1000}

# free_ports N prints N ports that nobody has now.
free_ports() { go run ./scripts/freeports "$1"; }

for reuse in false true; do
  for workers in 1 4; do
    read -r p1 p2 <<<"$(free_ports 2 | tr '\n' ' ')"
    cat >"$dir/envoy.yaml" <<YAML
admin:
  address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
static_resources:
  listeners:
  - name: v4
    reuse_port: $reuse
    address: { socket_address: { address: 127.0.0.1, port_value: $p1 } }
    filter_chains: [ { filters: [ { name: envoy.filters.network.echo } ] } ]
  - name: v6
    reuse_port: $reuse
    address: { socket_address: { address: "::1", port_value: $p2 } }
    filter_chains: [ { filters: [ { name: envoy.filters.network.echo } ] } ]
  - name: pipe
    address: { pipe: { path: $dir/pipe.sock, mode: 0600 } }
    filter_chains: [ { filters: [ { name: envoy.filters.network.echo } ] } ]
  - name: chosen
    reuse_port: $reuse
    address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
    filter_chains: [ { filters: [ { name: envoy.filters.network.echo } ] } ]
YAML
    n=40
    if [ "$workers" = 4 ]; then n=$clients; fi
    echo "reuse_port $reuse, $workers worker(s), $n clients:"
    go tool book receipt --timeout 5m --connections "$n" --connect "127.0.0.1:$p1" --connect "[::1]:$p2" \
      --connect "unix:$dir/pipe.sock" 04 -- -c "$dir/envoy.yaml" --concurrency "$workers"
  done
done

read -r proxied refused upstream nobody <<<"$(free_ports 4 | tr '\n' ' ')"
cat >"$dir/proxy.yaml" <<YAML
static_resources:
  listeners:
  - name: proxied
    address: { socket_address: { address: 127.0.0.1, port_value: $proxied } }
    access_log:
    - name: envoy.access_loggers.file
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
        path: $dir/access.log
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config:
          "@type": &tcp type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: echo
          cluster: echo
  - name: refused
    address: { socket_address: { address: 127.0.0.1, port_value: $refused } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config: { "@type": *tcp, stat_prefix: nobody, cluster: nobody }
  clusters:
  - name: echo
    type: STATIC
    connect_timeout: 5s
    load_assignment:
      cluster_name: echo
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: $upstream } } }
  - name: nobody
    type: STATIC
    connect_timeout: 5s
    load_assignment:
      cluster_name: nobody
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: $nobody } } }
YAML
# With a name that Go's resolver asks the network for: its sockets are not ours.
sed '/name: nobody/,$ s/STATIC/STRICT_DNS/; /name: nobody/,$ s/address: 127.0.0.1/address: nowhere.invalid/' \
  "$dir/proxy.yaml" >"$dir/dns.yaml"

# proxy WHAT CONFIG FLAGS...
proxy() {
  echo "tcp_proxy, $1:"
  config=$2
  shift 2
  go tool book receipt --timeout 5m --upstream "127.0.0.1:$upstream" --send hello "$@" \
    06 -- -c "$config" --concurrency "${WORKERS:-2}"
}

proxy "a request and its answer" "$dir/proxy.yaml" --connect "127.0.0.1:$proxied"
proxy "a half-close" "$dir/proxy.yaml" --connections 5 --connect "127.0.0.1:$proxied" --half-close
proxy "a reset by the client" "$dir/proxy.yaml" --connections 5 --connect "127.0.0.1:$proxied" --reset
proxy "an upstream that refuses" "$dir/proxy.yaml" --connections 5 --connect "127.0.0.1:$refused"
proxy "a name that is asked for" "$dir/dns.yaml" --connections 5 --connect "127.0.0.1:$proxied" --half-close
# Each of these is some sixty spans: without a pause the sink may not keep up on a busy machine.
WORKERS=4 proxy "$clients clients" "$dir/proxy.yaml" --connections "$clients" --connect "127.0.0.1:$proxied" \
  --connect "127.0.0.1:$refused" --half-close --pace "${PACE:-10ms}"
