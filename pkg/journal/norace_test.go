//go:build !race

package journal_test

// traffic is what TestTrafficBeyondTheBound sends through 64 MiB.
const traffic = 1 << 30
