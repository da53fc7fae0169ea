//go:build race

package journal_test

// traffic is less than the whole here: the race detector looks at each byte of
// each copy.
const traffic = 160 << 20
