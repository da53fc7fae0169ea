// Package cluster_test runs the real binary as several processes with roles over
// a NATS cluster of three servers: dispatchers, processes that share the lanes,
// and the loader. It kills them, stops them and lets them go on, cuts them off,
// and then asks the generators' acknowledged ids and the vendors' own logs.
package cluster_test
