package lease

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// Owner returns the node that a balanced lease belongs to: the one with the
// highest hash of name and node, whatever the order of nodes, of which there is
// at least one. Adding a node moves to it only the leases that it owns then;
// removing a node moves only the leases that it owned.
func Owner(name string, nodes []string) string {
	return slices.MaxFunc(nodes, func(a, b string) int {
		x, y := weight(name, a), weight(name, b)
		return bytes.Compare(x[:], y[:])
	})
}

// weight is the hash by which nodes compete for a name. Neither may contain a "/".
func weight(name, node string) [sha256.Size]byte {
	return sha256.Sum256([]byte(name + "/" + node))
}
