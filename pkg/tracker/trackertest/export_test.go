package trackertest

import (
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// RequestFaults is what FuzzRequests would report of one batch.
func RequestFaults(spec Spec, batch []event.Event) []string {
	return faultsOf(spec, clause{verify: breaksNoRule(batch)})
}

// JudgeFaults is what FuzzJudge would report of one answer.
func JudgeFaults(spec Spec, resp tracker.Response) []string {
	return faultsOf(spec, clause{verify: judgesSensibly(resp)})
}

// RefusedFaults is what NothingRefused would report.
func RefusedFaults(spec Spec, batches int) []string {
	return faultsOf(spec, clause{verify: nothingRefused(batches)})
}
