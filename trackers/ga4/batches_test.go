//go:build !race

package ga4_test

// propertyBatches is how many batches of 200 events the stand-in must take: 100,000
// events.
const propertyBatches = 500
