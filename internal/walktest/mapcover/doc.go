// Package mapcover holds the walk against its map: every step of the chapters that are built is entered by a real
// run of a real binary, or stands in a short list with its reason; and what is done for one connection is one trace.
package mapcover
