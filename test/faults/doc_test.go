// Package faults_test runs the real binary while something goes wrong: vendors
// that fail in every way they can, input that nobody should send, a process that
// is told to stop under load, a plan that is broken, a tracker that is taken
// away, a journal that is gone, a disk that is full. Each test says what a person
// outside must see of it.
package faults_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
