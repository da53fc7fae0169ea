// Package harness drives the real binary for the tests of this directory: it
// builds bin/sparrow once, runs it on a directory and ports of its own, sends
// it events through real sockets, kills it, and keeps its own record of what
// was acknowledged. A test never relies only on what the gateway says about itself.
package harness
