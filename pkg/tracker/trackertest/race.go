//go:build race

package trackertest

// slowdown is the factor by which the race detector slows a tracker down.
const slowdown = 10
