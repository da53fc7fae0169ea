//go:build race

package ga4_test

// propertyBatches is how many batches of 200 events the stand-in must take, under the
// race detector, which is ten times slower.
const propertyBatches = 50
