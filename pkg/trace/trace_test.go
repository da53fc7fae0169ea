package trace_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/bot"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
	"github.com/sparrow-edge/sparrow/pkg/trace"
)

const shop = `
context: { ip: false }
userProperties: { tier: string }
events:
  pageview:
    properties: { pathname: string }
  purchase product:
    trackers: [ga4, amplitude]
    consent: [analytics]
    names: { ga4: purchase }
    properties:
      category: string
      productName: string
      price: { type: number, required: true }
      note: string
      contact: { type: string, allow: [email] }
      meta: object
      items: { type: array, of: { type: object, properties: { id: string, count: integer } } }
`

func build(t testing.TB, text string, o trace.Options) *trace.Tracer {
	t.Helper()
	p, err := plan.Parse("plan.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	tracer, err := trace.New(p, cleaner(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

func cleaner(t testing.TB) *sanitizer.Sanitizer {
	t.Helper()
	s, err := sanitizer.New(sanitizer.Config{Key: "a key of a test, of no use"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var received = time.Date(2026, 11, 20, 9, 15, 2, 417000000, time.UTC)

func record(data string) *event.Record {
	return &event.Record{
		Receipt: event.Receipt{Epoch: "e", Position: event.Position{Seq: 7}}, ReceivedAt: received, Source: "web", EventID: "018f3c2a-7b1c-7def-9abc-0123456789ab",
		Data: []byte(data), Context: event.Context{IP: "203.0.113.0", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"},
	}
}

// TestRegionsOfASource holds what a source's regions mean for its national phone numbers.
func TestRegionsOfASource(t *testing.T) {
	tracer := build(t, shop, trace.Options{Regions: map[string][]string{"madrid": {"ES"}}})
	for source, want := range map[string]string{"madrid": "[phone]", "web": "612 34 56 78"} {
		rec := record(`{"event":"purchase product","deviceId":"d1","userId":"u","context":{"consent":{"analytics":true},"page":{"title":"612 34 56 78"}},"properties":{"price":1.10}}`)
		rec.Source, rec.Receipt.Epoch = source, source
		var into event.Event
		if d := tracer.Trace(rec, "ga4", &into); d.Outcome != event.Pending || into.Page.Title != want {
			t.Errorf("%s: %+v, %q", source, d, into.Page.Title)
		}
	}
}

const purchase = `{"event":"purchase product","deviceId":"d1","context":{"consent":{"analytics":true}},"properties":{"price":1.10}}`

func TestDecisions(t *testing.T) {
	for name, tc := range map[string]struct {
		data, tracker string
		change        func(*event.Record)
		options       trace.Options
		outcome       event.Outcome
		reason, named string
	}{
		"allowed":   {data: purchase, outcome: event.Pending, named: "purchase product"},
		"malformed": {data: "{", change: func(r *event.Record) { r.Context.Malformed = "unexpected end" }, outcome: event.Rejected, reason: "malformed"},
		"invalid": {data: `{"event":"a"}`, change: func(r *event.Record) { r.Context.Invalid = "deviceId: required" }, outcome: event.Rejected,
			reason: "invalid: deviceId: required"},
		"not an event": {data: `[]`, outcome: event.Rejected, reason: "invalid: not an event"},
		"prerender":    {data: purchase, change: func(r *event.Record) { r.Context.Purpose = "prefetch;prerender" }, outcome: event.Filtered, reason: "prerender", named: "purchase product"},
		"prefetch":     {data: purchase, change: func(r *event.Record) { r.Context.Purpose = "prefetch" }, outcome: event.Pending, named: "purchase product"},
		"prerender kept": {data: purchase, change: func(r *event.Record) { r.Context.Purpose = "prefetch;prerender" }, options: trace.Options{KeepPrerender: true},
			outcome: event.Pending, named: "purchase product"},
		"bot":            {data: purchase, change: func(r *event.Record) { r.Context.UserAgent = "Googlebot/2.1" }, outcome: event.Filtered, reason: trace.ReasonBot, named: "purchase product"},
		"bot kept":       {data: purchase, change: func(r *event.Record) { r.Context.UserAgent = "Googlebot/2.1" }, options: trace.Options{KeepBots: true}, outcome: event.Pending, named: "purchase product"},
		"not in plan":    {data: `{"event":"other","deviceId":"d1"}`, outcome: event.Filtered, reason: "event not in plan", named: "other"},
		"not routed":     {data: purchase, tracker: "heap", outcome: event.Filtered, reason: "not routed to tracker", named: "purchase product"},
		"no consent":     {data: strings.Replace(purchase, "true", "false", 1), outcome: event.Filtered, reason: "consent: analytics", named: "purchase product"},
		"consent string": {data: strings.Replace(purchase, "true", `"true"`, 1), outcome: event.Filtered, reason: "consent: analytics", named: "purchase product"},
		"missing":        {data: strings.Replace(purchase, "price", "prize", 1), outcome: event.Filtered, reason: "required property missing: price", named: "purchase product"},
		"null":           {data: strings.Replace(purchase, "1.10", "null", 1), outcome: event.Filtered, reason: "required property missing: price", named: "purchase product"},
		"wrong type":     {data: strings.Replace(purchase, "1.10", `"1.10"`, 1), outcome: event.Filtered, reason: "required property of wrong type: price", named: "purchase product"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := record(tc.data)
			if tc.change != nil {
				tc.change(rec)
			}
			if tc.tracker == "" {
				tc.tracker = "ga4"
			}
			var into event.Event
			got := build(t, shop, tc.options).Trace(rec, tc.tracker, &into)
			if got.Outcome != tc.outcome || got.Reason != tc.reason || got.Name != tc.named {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestGolden traces testdata/*.json at the tracker ga4: a file holds the raw
// record's data, the file .golden beside it what leaves. UPDATE_GOLDEN=1 writes it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	tracer := build(t, shop, trace.Options{})
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(tracer.Explain(record(string(data)), "ga4"), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(bytes.TrimSpace(want)), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	e := build(t, shop, trace.Options{}).Explain(record(`{"event":"purchase product","deviceId":"d1","userId":"a@b.co","context":{"consent":{"analytics":true}},
		"properties":{"price":1,"note":"a@b.co","contact":"a@b.co","category":5,"other":1}}`), "ga4")
	want := map[string]string{"properties.price": "allowed", "properties.note": "sanitised: email", "properties.contact": "allowed",
		"properties.category": "dropped: wrong type", "properties.other": "dropped: not in plan", "userId": "sanitised: email"}
	if diff := cmp.Diff(want, e.Properties); diff != "" {
		t.Error(diff)
	}
}

func TestNothingAliasesTheRecord(t *testing.T) {
	rec := record(`{"event":"purchase product","deviceId":"device","userId":"user","context":{"locale":"de","consent":{"analytics":true}},"properties":{"price":12,"note":"text","meta":{"k":["v"]}}}`)
	before := bytes.Clone(rec.Data)
	var into event.Event
	build(t, shop, trace.Options{}).Trace(rec, "amplitude", &into)
	if !bytes.Equal(rec.Data, before) {
		t.Error("the record was changed")
	}
	want := fmt.Sprint(into)
	for i := range rec.Data {
		rec.Data[i] = 'X'
	}
	if got := fmt.Sprint(into); got != want {
		t.Errorf("the event changed with the record's bytes: %s", got)
	}
}

func TestUnknownKindIsAnError(t *testing.T) {
	p, err := plan.Parse("plan.yaml", []byte("events: { a: { properties: { p: { type: string, allow: [emial] } } } }"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trace.New(p, cleaner(t), trace.Options{}); err == nil || !strings.Contains(err.Error(), `did you mean "email"?`) {
		t.Errorf("error %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	tracer := build(t, shop, trace.Options{})
	rec := record(purchase)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 200 {
				var into event.Event
				if d := tracer.Trace(rec, "ga4", &into); d.Outcome != event.Pending || into.Name != "purchase" {
					t.Errorf("%+v", d)
				}
			}
		})
	}
	workers.Wait()
}

func TestBotRulesOfASource(t *testing.T) {
	tracer := build(t, shop, trace.Options{BotRules: map[string]bot.Rules{
		"web": {People: []string{"OurApp/"}, Machines: []string{"OurProbe"}}, "other": {People: []string{"Googlebot"}},
	}})
	for userAgent, want := range map[string]string{"OurApp/1 Googlebot/2.1": "", "OurProbe 1": trace.ReasonBotRule, "Googlebot/2.1": trace.ReasonBot} {
		rec := record(purchase)
		rec.Receipt, rec.Context.UserAgent = event.Receipt{}, userAgent
		if d := tracer.Trace(rec, "ga4", &event.Event{}); d.Reason != want {
			t.Errorf("%q: %+v, want reason %q", userAgent, d, want)
		}
	}
}

// TestNothingOutsideThePlanLeaves traces random events under random plans.
func TestNothingOutsideThePlanLeaves(t *testing.T) {
	clean := cleaner(t)
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "c", "d", "e", "f g", "ü"}
	types := []string{"string", "number", "integer", "boolean", "object", "array", "any"}
	left := 0
	for range 500 {
		planned := map[string]string{}
		var yaml strings.Builder
		yaml.WriteString("events:\n  x:\n    properties:\n      z: string\n")
		for _, name := range names {
			if random.IntN(2) == 0 {
				planned[name] = types[random.IntN(len(types))]
				fmt.Fprintf(&yaml, "      %s: %s\n", name, planned[name])
			}
		}
		properties := map[string]any{}
		for _, name := range names {
			properties[name] = randomValue(random, 3)
		}
		data, err := json.Marshal(map[string]any{"event": "x", "deviceId": "d", "userId": text(random), "properties": properties,
			"context": map[string]any{"page": map[string]any{"url": "https://h/" + text(random), "title": text(random)}, "locale": text(random)}})
		if err != nil {
			t.Fatal(err)
		}
		var into event.Event
		if d := build(t, yaml.String(), trace.Options{}).Trace(record(string(data)), "ga4", &into); d.Outcome != event.Pending {
			t.Fatalf("%s: %+v", data, d)
		}
		for _, p := range into.Properties {
			left++
			if planned[p.Name] == "" {
				t.Fatalf("property %q is not in the plan:\n%s", p.Name, yaml.String())
			}
			if _, found := clean.Value(p.Value, sanitizer.Hint{}); found != 0 {
				t.Fatalf("%+v: left %v", p, clean.NamesOf(found))
			}
		}
		for _, s := range []string{into.UserID, into.Page.URL, into.Page.Title, into.Locale} {
			if _, found := clean.Text(s, sanitizer.Hint{}); found != 0 {
				t.Fatalf("%q: left %v", s, clean.NamesOf(found))
			}
		}
	}
	if left < 200 {
		t.Errorf("%d properties left in all: the test shows nothing", left)
	}
}

var pieces = []string{"jane@example.com", "4111111111111111", " ", "workers", "+1 415 555 2671", "/a?token=x", "https://u:p@h.de/#f", "8.8.8.8", "%40", "x", "[", "DE89370400440532013000", "-", "1.5", "@"}

func text(random *rand.Rand) string {
	var b strings.Builder
	for range 1 + random.IntN(4) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

func randomValue(random *rand.Rand, depth int) any {
	switch n := random.IntN(8); {
	case n < 3:
		return text(random)
	case n == 3:
		return json.Number([]string{"4111111111111111", "1.10", "7", "-3e2"}[random.IntN(4)])
	case n == 4:
		return random.IntN(2) == 0
	case n == 5 || depth == 0:
		return nil
	case n == 6:
		return []any{randomValue(random, depth-1), randomValue(random, depth-1)}
	}
	return map[string]any{text(random): randomValue(random, depth-1), "k": randomValue(random, depth-1)}
}

const realistic = `{"event":"purchase product","deviceId":"9f1c2f64-3b1e-4a7b-8f55-0d7a2f3c9b10","userId":"michelle1","properties":{"category":"billing","productName":"workers","price":19.99,"note":"Why batching matters"},"eventId":"018f3c2a-7b1c-7def-9abc-0123456789ab","timestamp":"2026-11-20T09:14:40.000Z","context":{"page":{"url":"https://shop.example.com/p/42","path":"/p/42","referrer":"","title":"Workers"},"locale":"en-GB","consent":{"analytics":true}}}`

func BenchmarkTrace(b *testing.B) {
	for name, trackers := range map[string][]string{"first tracker": {"ga4"}, "each of three": {"ga4", "amplitude", "ga4"}} {
		b.Run(name, func(b *testing.B) {
			tracer, rec := build(b, shop, trace.Options{}), record(realistic)
			b.ReportAllocs()
			b.SetBytes(int64(len(realistic)))
			for i := 0; b.Loop(); i++ {
				var into event.Event
				rec.Receipt.Seq = uint64(i / len(trackers))
				if d := tracer.Trace(rec, trackers[i%len(trackers)], &into); d.Outcome != event.Pending || len(into.Properties) != 4 || len(d.Findings) != 0 {
					b.Fatalf("%+v", d)
				}
			}
		})
	}
}

// TestRedactionsAreNoUserProperties: "[email]" would overwrite the user's profile at a
// vendor. An event's property says that something was there.
func TestRedactionsAreNoUserProperties(t *testing.T) {
	tracer := build(t, shop, trace.Options{})
	for text, want := range map[string]string{
		"gold": "gold", "ann@example.com": "", "ann@example.com, bob@example.com": "", "gold ann@example.com": "gold [email]", "[email]": "[email]",
	} {
		rec := record(fmt.Sprintf(`{"event":"pageview","deviceId":"d","userProperties":{"tier":%q},"properties":{"pathname":"ann@example.com"}}`, text))
		rec.Receipt = event.Receipt{}
		var into event.Event
		d := tracer.Trace(rec, "amplitude", &into)
		got, there := event.Lookup(into.UserProperties, "tier")
		if d.Outcome != event.Pending || got.Text != want || there != (want != "") {
			t.Errorf("%q leaves as %q (%+v), want %q", text, got.Text, d, want)
		}
		if path, _ := into.Lookup("pathname"); path.Text != "[email]" {
			t.Errorf("an event's property leaves as %q", path.Text)
		}
	}
}
