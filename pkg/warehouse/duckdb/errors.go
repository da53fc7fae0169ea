package duckdb

import "errors"

// ErrSlim is Open's error in a build without cgo.
var ErrSlim = errors.New("this is the slim build, without DuckDB: use warehouse.kind: bigquery, or a build with cgo")

// ErrLocked is wrapped by Open's error when another process holds the file.
var ErrLocked = errors.New("another process holds the DuckDB file: stop it, or ask it (a running gateway answers queries over its socket)")
