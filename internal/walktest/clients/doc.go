// Package clients sends programs that everybody has through the real proxy: curl to an HTTP server, nc to nc,
// openssl's client to openssl's servers, redis-cli and redis-benchmark to Redis, psql and pgbench to PostgreSQL. The
// configuration is docs/clients.yaml, the one that docs/clients.md lets a reader try. A test whose programs are
// not installed says which Debian package brings them, and skips.
package clients
