package trace_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/trace"
)

// TestLanesGetWhatALaneAloneWouldGet has several lanes trace more records than are
// kept, each at its own pace and at the same time. Each result must be that of a
// Tracer that keeps nothing.
func TestLanesGetWhatALaneAloneWouldGet(t *testing.T) {
	shared, alone := build(t, shop, trace.Options{}), build(t, shop, trace.Options{})
	const records = 10_000
	nth := func(i int) *event.Record {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		data := []string{
			realistic, purchase, `{"event":"nobody planned this"}`, `{"event":"pageview","properties":{"pathname":"/a?mail=ann@example.com"}}`,
			`{"event":"purchase product","context":{"consent":{"analytics":false}}}`,
			`{"event":"purchase product","context":{"consent":{"analytics":true}},"properties":{"note":"` + strings.Repeat("long ", 3000) + `"}}`, "no JSON",
		}[random.IntN(7)]
		rec := record(data)
		rec.Receipt.Seq, rec.Receipt.Index = uint64(1+i/3), uint32(i%3)
		rec.EventID = fmt.Sprint("id-", i)
		return rec
	}
	var lanes sync.WaitGroup
	for n, tracker := range []string{"ga4", "amplitude", "heap", "ga4"} {
		lanes.Go(func() {
			for i := range records {
				i = (i + n*records/2) % records // the last two are far from the first
				var got, want event.Event
				d := shared.Trace(nth(i), tracker, &got)
				rec := nth(i)
				rec.Receipt.Epoch = ""
				expect := alone.Trace(rec, tracker, &want)
				if got.Receipt.Epoch = ""; !reflect.DeepEqual(d, expect) || d.Outcome == event.Pending && !reflect.DeepEqual(got, want) {
					t.Errorf("record %d for %s: %+v %+v, want %+v %+v", i, tracker, d, got, expect, want)
					return
				}
			}
		})
	}
	lanes.Wait()
}

// TestWhatIsKeptIsBounded traces events that take much more memory than bytes: a list
// of 30,000 numbers is a fiftieth of what it becomes.
func TestWhatIsKeptIsBounded(t *testing.T) {
	tracer := build(t, "events: { list: { properties: { numbers: array } } }", trace.Options{})
	numbers := `{"event":"list","deviceId":"d","properties":{"numbers":[` + strings.TrimSuffix(strings.Repeat("1,", 30_000), ",") + `]}}`
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range 200 {
		rec := record(numbers)
		rec.Receipt.Seq = uint64(i)
		var into event.Event
		if d := tracer.Trace(rec, "ga4", &into); d.Outcome != event.Pending {
			t.Fatalf("%+v", d)
		}
	}
	if grown := int64(heap()) - int64(before); grown > 64<<20 {
		t.Errorf("%d MiB are kept, the bound is 32", grown>>20)
	}
	runtime.KeepAlive(tracer)
}
