//go:build race

package trackertest

// slowdown is by how much the race detector slows a tracker down.
const slowdown = 10
