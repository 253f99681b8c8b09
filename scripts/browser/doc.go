// Package browser holds the tests of what leaves the house: the page in a real browser, and the exports before
// the programs that read them. It is a module of its own, so that its dependencies are no reader's.
package browser
