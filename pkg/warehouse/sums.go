package warehouse

import (
	"context"
	"time"
)

// SumKeeper is an adapter that keeps the sums of each day beside the rows, in
// the transaction that stores the rows. The reconciliation reads the sums, so
// that its cost does not grow with the events.
type SumKeeper interface {
	// SumDays returns the days whose sums are kept, in order.
	SumDays(ctx context.Context) ([]time.Time, error)

	// VerifySums counts a day again from the rows and returns where the sums
	// differ. Nothing is the only good answer.
	VerifySums(ctx context.Context, day time.Time) ([]SumDifference, error)
}

// Backfiller is an adapter with tables that are made of others: the sums, and the
// typed events. What they lack, because an earlier release loaded the rows, or
// because the plan has changed, is made again beside loading.
type Backfiller interface {
	// Backfill makes one bounded piece, the newest first, in a transaction of its
	// own. left is above 0 while there is more. What is not made yet is read from
	// raw where that can be: the views give the same rows meanwhile.
	Backfill(ctx context.Context) (BackfillProgress, error)
}

// BackfillProgress is what a piece of a backfill did.
type BackfillProgress struct {
	Left    int64        // rows or days that are still to be made; 0: it is done
	Untyped []UntypedRow // rows of the piece that have NULLs, because typing them failed
}

// UntypedRow is a row of events of which only a part is made.
type UntypedRow struct {
	Receipt string
	Reason  string // the kind of error, without any value
}

// SumDifference is a sum that does not agree with its rows.
type SumDifference struct {
	Day                                     time.Time
	Source, Event, Tracker, Outcome, Reason string
	Kept, Counted                           int64
}
