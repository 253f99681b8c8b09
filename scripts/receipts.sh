#!/usr/bin/env bash
# The receipts of a server that serves: shared sockets and reuse_port, 1 and 4 workers, many clients.
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
