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

// DayCounter is an adapter where counting the sums of old days costs money, so that
// it is done only when it is asked for.
type DayCounter interface {
	// UncountedDays are the days since a time that have rows and no sums, in order,
	// each with how many bytes counting it would read.
	UncountedDays(ctx context.Context, since time.Time) ([]UncountedDay, error)

	// CountDay counts the sums of a day from its rows; they are kept from then on.
	CountDay(ctx context.Context, day time.Time) error
}

// UncountedDay is a day that has rows and no sums.
type UncountedDay struct {
	Day   time.Time
	Bytes int64 // that counting it would read
}

// Compacter is an adapter with logs of which newer rows replace older ones.
type Compacter interface {
	// Compact puts together what belongs together and deletes what is replaced. It
	// is called every hour, whatever the retention, and may be called at any time.
	Compact(ctx context.Context) error
}
