// Package gateway wires the parts into the program. It opens everything in
// order, runs it in one errgroup (sinks first, HTTP last), and stops it in reverse. It is the only package that knows all the others;
// they meet here through the small interfaces that each of them declares.
//
// It promises that a reader's pin on the journal is in place before the
// trimmer runs, that a component's failure stops the whole process cleanly, and
// that the last good plan stays when a new one is wrong.
package gateway
