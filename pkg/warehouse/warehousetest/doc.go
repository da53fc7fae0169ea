// Package warehousetest is the suite that every adapter of package warehouse
// passes. An adapter's test is
//
//	func TestMain(m *testing.M) {
//		warehousetest.Child(open) // loads until it is killed, when the suite asks for it
//		os.Exit(m.Run())
//	}
//
//	func TestSuite(t *testing.T) {
//		warehousetest.Run(t, warehousetest.Harness{Open: open, MaxRow: 1 << 20})
//	}
//
// The suite checks what comes back against what it put in and against a model
// of its own, never against the adapter's views alone. It also holds an
// in-memory Journal, for tests of the loader.
package warehousetest
