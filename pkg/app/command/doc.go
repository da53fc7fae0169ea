// Package command is the command line: one file a command. A command reads the
// configuration, asks the running gateway through pkg/app/admin (or the stored
// warehouse when none runs) and prints what it learns.
//
// Exit codes: 0 success; 1 it failed; 2 the call or the configuration is wrong.
package command
