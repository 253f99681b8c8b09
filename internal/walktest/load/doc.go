// Package load is traffic for a TCP proxy under test, of which every byte is known: clients, the upstreams
// they are carried to, and the accounts that both keep.
//
// A byte is a function of its connection, its direction and its offset, so a receiver needs nothing but these
// to check it, and any eight bytes tell where in their stream they belong. A Verifier therefore does not only
// see that something is wrong: it counts how many bytes were lost, came twice, came out of their order, or
// were never sent. Beside that each end keeps a sum of what it sent and of what it got.
//
// A connection begins with an Order, which tells the upstream what to do, so one upstream serves all kinds.
package load
