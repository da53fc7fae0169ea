package warehouse

import (
	"fmt"
	"sync"
	"time"
)

// untypedEvery is how often rows that could not be typed are reported at most.
const untypedEvery = time.Hour

// untyped counts the rows of the table events that have NULLs because making their
// columns failed. It reports the first at once and further ones once an hour. It
// is safe for concurrent use.
type untyped struct {
	retrier *retrier

	mu       sync.Mutex
	reported time.Time
	since    int // rows that no report has counted yet
}

func (u *untyped) add(rows []UntypedRow) {
	if len(rows) == 0 {
		return
	}
	u.retrier.metrics.untyped.Add(float64(len(rows)))
	u.mu.Lock()
	u.since += len(rows)
	n := u.since
	due := u.reported.IsZero() || time.Since(u.reported) >= untypedEvery
	if due {
		u.reported, u.since = time.Now(), 0
	}
	u.mu.Unlock()
	if !due {
		return
	}
	var receipts []string
	for _, r := range rows[:min(len(rows), 10)] {
		receipts = append(receipts, r.Receipt)
	}
	u.retrier.report("typed events", fmt.Errorf("%d events have NULLs in raw_normalized, because making their columns failed (%s): "+
		"nothing else is missing, and raw has their bytes; `sparrow events RECEIPT` shows one: report it to Sparrow's authors", n, rows[0].Reason), 1, receipts)
}
