//go:build !race

package trackertest

// slowdown is by how much the race detector, were it there, would slow a tracker
// down.
const slowdown = 1
