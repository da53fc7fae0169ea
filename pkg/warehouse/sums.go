package warehouse

import (
	"context"
	"time"
)

// SumKeeper is an adapter that keeps the sums of each day beside the rows, in
// the transaction that stores the rows. The reconciliation reads the sums, so
// that its cost does not grow with the events.
type SumKeeper interface {
	// CountNextDay counts one day whose sums are not kept yet, as those of an
	// earlier release are, the newest first. It returns how many days are left.
	CountNextDay(ctx context.Context) (left int, err error)

	// SumDays returns the days whose sums are kept, in order.
	SumDays(ctx context.Context) ([]time.Time, error)

	// VerifySums counts a day again from the rows and returns where the sums
	// differ. Nothing is the only good answer.
	VerifySums(ctx context.Context, day time.Time) ([]SumDifference, error)
}

// SumDifference is a sum that does not agree with its rows.
type SumDifference struct {
	Day                                     time.Time
	Source, Event, Tracker, Outcome, Reason string
	Kept, Counted                           int64
}
