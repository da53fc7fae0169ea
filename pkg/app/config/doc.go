// Package config reads what a gateway is built from: sparrow.yaml, the tracking
// plan and the trackers. Each section of the file belongs to the package that does
// the work; this one joins their defaults and checks.
//
// It promises that Settings that were loaded are complete and checked, that an
// error lists all that is wrong, with file and line, and that no error holds a
// secret. It opens no connection, and of the data directory it touches the
// identity key and the node's name only.
package config
