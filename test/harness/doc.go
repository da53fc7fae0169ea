// Package harness drives the real binary for the tests of this directory: it
// builds bin/sparrow once, runs it on a directory and ports of its own, sends
// it events through real sockets, kills it, and keeps its own record of what
// was acknowledged. What the gateway says of itself is never the only witness.
package harness
