// Package laws holds no code, only tests: the laws of the house, which no compiler enforces. Each
// prints one line with a figure, so that a law that looks at nothing is noticed.
//
// An exception is a line in a table here, with its reason. One that nothing needs any more fails
// too.
package laws
