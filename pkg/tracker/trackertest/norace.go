//go:build !race

package trackertest

// slowdown is 1 without the race detector.
const slowdown = 1
