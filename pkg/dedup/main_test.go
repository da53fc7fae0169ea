package dedup_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(followUntilKilled(dir))
	}
	goleak.VerifyTestMain(m)
}
