// Package tracker is the contract between Sparrow and a vendor, and the kit
// that vendors are built with.
//
// Adding a vendor is one directory: a config struct with its own Check, a
// translation (Tracker), golden files, a ten-line test that runs trackertest;
// and one line in trackers/trackers.go. Kinds are values in a list; nothing
// registers itself.
package tracker
