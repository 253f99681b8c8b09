// Package wording holds what the binaries say: every message of Envoy's that chapters 01 to 06 can meet is
// produced by a test on a real binary, with its exit status, Envoy's sentence, and the place in the configuration
// that Envoy does not tell.
//
// messages_test.go is the list; a message that nothing produces stands there with its reason, or fails.
package wording
