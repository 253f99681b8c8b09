// Package faults hurts the real proxy from outside: peers that reset, vanish, hang, refuse or never read, and a
// process without fds. Each test is a row of docs/faults.md. While it runs, connections that have nothing to do
// with the fault must not lose a byte; afterwards the proxy must be as it was before.
package faults
