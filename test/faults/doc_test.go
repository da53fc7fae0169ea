// Package faults_test runs the real binary while something goes wrong: vendors
// fail in every way they can, input is hostile, the process is stopped under load,
// the plan is broken, a tracker is removed, the journal is deleted, the disk is
// full. Each test checks what is visible from outside.
package faults_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
