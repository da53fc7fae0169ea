// Package app is the program: Main is all that a main package calls. A gateway
// with vendors of one's own is a module whose main is
//
//	func main() { app.Main(append(trackers.All(), acme.Kind())...) }
//
// The parts live below: gateway wires and runs, command is the command line,
// admin is how the two talk.
package app

import (
	"context"
	"os"

	"github.com/sparrow-edge/sparrow/pkg/app/command"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// release is set by the linker: -X github.com/sparrow-edge/sparrow/pkg/app.release=v1.2.3
var release = "dev"

// Main runs the command line of this process with the vendors given, and exits
// the process: 0 success, 1 failure, 2 wrong call or configuration.
func Main(kinds ...tracker.Kind) {
	program := command.Program{Kinds: kinds, Release: release, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.LookupEnv}
	os.Exit(command.Run(context.Background(), program, os.Args[1:]))
}
