package event_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

func TestEventTime(t *testing.T) {
	at := func(d time.Duration) time.Time { return receivedAt.Add(d) }
	for name, tc := range map[string]struct {
		client, sent, want time.Time
		fault              event.TimeFault
	}{
		"no time":                        {want: receivedAt},
		"no time, sent":                  {sent: at(-time.Hour), want: receivedAt},
		"no sent":                        {client: at(-time.Hour), want: at(-time.Hour)},
		"queued, clock right":            {client: at(-48 * time.Hour), sent: at(-time.Second), want: at(-48 * time.Hour)},
		"5 minutes slow":                 {client: at(-6 * time.Minute), sent: at(-5 * time.Minute), want: at(-6 * time.Minute)},
		"over 5 minutes slow":            {client: at(-6 * time.Minute), sent: at(-5*time.Minute - time.Microsecond), want: at(-time.Minute + time.Microsecond)},
		"5 minutes fast":                 {client: at(5 * time.Minute), sent: at(5 * time.Minute), want: at(5 * time.Minute)},
		"a year fast":                    {client: at(8759 * time.Hour), sent: at(8760 * time.Hour), want: at(-time.Hour)},
		"a clock that starts in 1970":    {client: time.Unix(10, 0), sent: time.Unix(30, 0), want: at(-20 * time.Second)},
		"sent in 1970, happened today":   {client: at(-time.Hour), sent: time.Unix(30, 0), want: at(-time.Hour), fault: event.AfterSending},
		"sent in 2020, happened in 9998": {client: time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC), sent: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), want: receivedAt, fault: event.AfterReceipt},
		"no sent, in the future":         {client: at(6 * time.Minute), want: receivedAt, fault: event.AfterReceipt},
		"a little in the future":         {client: at(5 * time.Minute), want: at(5 * time.Minute)},
		"Go's zero time":                 {client: time.Time{}.UTC(), sent: at(time.Hour), want: receivedAt},
		"nanoseconds are cut":            {client: at(1999 * time.Nanosecond), want: at(time.Microsecond)},
		"another zone, same way":         {client: at(0).In(time.FixedZone("x", 3600)), want: receivedAt},
	} {
		t.Run(name, func(t *testing.T) {
			if got, fault := event.EventTime(tc.client, receivedAt, tc.sent); fault != tc.fault || !got.Equal(tc.want) || got.Location() != time.UTC {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// TestNoTimeIsAfterItsReceipt tries clocks that are off by anything from
// microseconds to millennia.
func TestNoTimeIsAfterItsReceipt(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Unix()
	anyTime := func() time.Time {
		switch random.IntN(4) {
		case 0:
			return time.Time{}
		case 1:
			return time.Unix(first+random.Int64N(last-first), random.Int64N(1e9))
		default:
			return receivedAt.Add(time.Duration(random.Int64N(int64(20*time.Minute)) - int64(10*time.Minute)))
		}
	}
	for range 100_000 {
		client, sent := anyTime(), anyTime()
		got, fault := event.EventTime(client, receivedAt, sent)
		if got.After(receivedAt.Add(event.MaxSkew)) {
			t.Fatalf("client %v, sent %v: %v is after the receipt", client, sent, got)
		}
		if fault == event.NoTimeFault && !client.IsZero() && !sent.IsZero() && client.After(sent.Add(3*event.MaxSkew)) {
			t.Fatalf("client %v, sent %v: no fault is told", client, sent)
		}
	}
}
