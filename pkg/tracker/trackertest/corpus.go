package trackertest

import (
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Case is a batch of the corpus, and the name of its golden file.
type Case struct {
	Name   string
	Events []event.Event
}

const chrome = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"

// Corpus is a fresh copy of the events whose requests are kept in golden files:
// the ordinary ones, and one for each thing that vendors disagree on.
func Corpus() []Case {
	return []Case{
		{"track", []event.Event{Track()}},
		{"pageview", []event.Event{Pageview()}},
		{"anonymous", []event.Event{with(Track(), func(e *event.Event) { e.UserID = "" })}},
		{"batch", batch()},
		{"bare", []event.Event{bare("signed up")}},
		{"server", []event.Event{with(bare("invoice.paid"), func(e *event.Event) { e.UserID = "42" })}},
		{"seed", []event.Event{with(bare("purchase product"), func(e *event.Event) {
			e.UserID, e.DeviceID = "michelle1", "desktop1"
			e.Properties = []event.Property{{Name: "category", Value: event.StringValue("billing")}, {Name: "productName", Value: event.StringValue("workers")}}
		})}},
		{"values", []event.Event{with(bare("values"), func(e *event.Event) { e.UserID, e.Properties = "user-1", oddValues() })}},
		{"names", names()},
		{"ids", ids()},
		{"purchase", []event.Event{purchase()}},
		{"purchase-incomplete", []event.Event{with(purchase(), func(e *event.Event) { e.Properties = e.Properties[:2] })}},
		{"many-properties", []event.Event{with(bare("many"), func(e *event.Event) { e.UserID, e.Properties = "user-1", manyProperties(60) })}},
		{"long-values", []event.Event{with(Track(), longValues)}},
		{"nested", []event.Event{with(bare("nested"), func(e *event.Event) {
			e.UserID = "user-1"
			e.Properties = []event.Property{{Name: "tree", Value: tree(6)}, {Name: "deep", Value: tree(60)}}
		})}},
		{"consent", []event.Event{with(Track(), func(e *event.Event) { e.Consent = map[string]bool{"analytics": true, "marketing": true} })}},
		{"user-properties", []event.Event{with(Track(), func(e *event.Event) {
			e.UserProperties = []event.Property{
				{Name: "plan", Value: event.StringValue("pro")}, {Name: "seats", Value: event.NumberValue("12")}, {Name: "trial", Value: event.BoolValue(false)},
				{Name: "a name longer than twenty-four characters", Value: event.StringValue(strings.Repeat("long ", 20))},
			}
		})}},
		{"no-user-agent", []event.Event{with(Pageview(), func(e *event.Event) { e.UserAgent = "" })}},
	}
}

// Track is the ordinary event: a user shares an article.
func Track() event.Event {
	return event.Event{
		EventID:    "0f6c3b9e-5d0a-4f0e-9a53-8f6b1c2d7e41",
		Name:       "Article Shared",
		DeviceID:   "9f1c2f64-3b1e-4a7b-8f55-0d7a2f3c9b10",
		UserID:     "user-48213",
		Time:       time.Date(2026, 11, 20, 9, 15, 2, 417_000_000, time.UTC),
		ReceivedAt: time.Date(2026, 11, 20, 9, 15, 2, 600_000_000, time.UTC),
		Properties: []event.Property{
			{Name: "article id", Value: event.NumberValue("991")},
			{Name: "channel", Value: event.StringValue("email")},
			{Name: "paid", Value: event.BoolValue(true)},
			{Name: "tags", Value: event.Value{Kind: event.Array, Items: []event.Value{event.StringValue("go"), event.StringValue("analytics")}}},
			{Name: "author", Value: event.Value{Kind: event.Object, Fields: []event.Property{{Name: "name", Value: event.StringValue("R. Vega")}}}},
		},
		Page: event.Page{
			URL: "https://news.example.com/posts/42?utm_source=nl", Path: "/posts/42",
			Referrer: "https://www.google.com/", Title: "Why batching matters",
		},
		Screen:    event.Screen{Width: 1440, Height: 900},
		Locale:    "en-GB",
		SessionID: "1795165800",
		UserAgent: chrome,
		IP:        "203.0.113.0",
	}
}

// Pageview is the ordinary pageview of a visitor without a user id.
func Pageview() event.Event {
	e := Track()
	e.EventID, e.Name, e.UserID = "5b0d2f1a-77c4-4a35-9d1e-2c4f8a6b9e03", "pageview", ""
	e.Time = time.Date(2026, 11, 20, 9, 14, 40, 0, time.UTC)
	e.Properties = []event.Property{{Name: "pathname", Value: event.StringValue("/posts/42")}}
	return e
}

func with(e event.Event, change func(*event.Event)) event.Event {
	change(&e)
	return e
}

// bare is an event of which nothing is known but what every event has.
func bare(name string) event.Event {
	return event.Event{
		EventID: "018f4e6a-0000-7000-8000-00000000000a", Name: name, DeviceID: "d-1",
		Time: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), ReceivedAt: time.Date(2026, 11, 20, 9, 0, 1, 0, time.UTC),
	}
}

// batch is two visitors, taking turns.
func batch() []event.Event {
	other := with(Track(), func(e *event.Event) {
		e.EventID, e.DeviceID, e.UserID, e.SessionID = "7d1f0c55-9a1b-4c8e-8a64-3a2b1c0d9e8f", "1b2c3d4e-0000-4000-8000-000000000001", "user-7", "1795165000"
	})
	second := with(Track(), func(e *event.Event) { e.EventID, e.Name = "aaaaaaaa-0000-4000-8000-000000000002", "Article Read" })
	return []event.Event{Track(), other, second}
}

func oddValues() []event.Property {
	return []event.Property{
		{Name: "big", Value: event.NumberValue("12345678901234567890")},
		{Name: "price", Value: event.NumberValue("1.10")},
		{Name: "tiny", Value: event.NumberValue("-2.5e-9")},
		{Name: "digits", Value: event.NumberValue(strings.Repeat("9", 1100))},
		{Name: "nothing", Value: event.Value{}},
		{Name: "empty", Value: event.StringValue("")},
		{Name: "no items", Value: event.Value{Kind: event.Array}},
		{Name: "no fields", Value: event.Value{Kind: event.Object}},
		{Name: "quoted", Value: event.StringValue("a \"b\" \\ c\n\t\x00\u2028")},
		{Name: "broken", Value: event.StringValue("a\xffb")},
		{Name: "mixed", Value: event.Value{Kind: event.Array, Items: []event.Value{
			event.StringValue("x"), event.NumberValue("1"), event.BoolValue(true), {}, {Kind: event.Object, Fields: []event.Property{{Name: "k", Value: event.StringValue("v")}}},
		}}},
		{Name: "no", Value: event.BoolValue(false)},
		{Name: "zürich 東京", Value: event.StringValue("zürich 東京 🐦")},
		{Name: "ga_reserved", Value: event.StringValue("x")},
		{Name: "_private", Value: event.StringValue("x")},
		{Name: "a b", Value: event.StringValue("first")},
		{Name: "a_b", Value: event.StringValue("second")},
		{Name: "user", Value: event.Value{Kind: event.Object, Fields: []event.Property{{Name: "id", Value: event.StringValue("nested")}}}},
		{Name: "user_id", Value: event.StringValue("direct")},
		{Name: "user.id", Value: event.StringValue("dotted")},
	}
}

func names() []event.Event {
	var events []event.Event
	for i, name := range []string{
		" padded name ", "campaign@details", "session_start", "_hidden", "ga_thing", "gtag.config", "123go", "購入", "", "   ",
		strings.Repeat("long name ", 8), strings.Repeat("é", 1100), "$identify", "[Amplitude] Revenue", "[Amplitude] Page Viewed", "Error", "error",
	} {
		e := bare(name)
		e.EventID, e.UserID = "name-"+string(rune('a'+i))+"-0000", "user-1"
		events = append(events, e)
	}
	return events
}

func ids() []event.Event {
	var events []event.Event
	for i, id := range []struct{ user, device string }{
		{"anonymous", "d-1"}, {"", "00000000-0000-0000-0000-000000000000"}, {"NULL", "Unknown"}, {"0", "d-1"}, {"1", "d"}, {"  ", "d-1"},
		{strings.Repeat("u", 300), "d-1"}, {strings.Repeat("u", 255), "d-1"}, {"user \"quoted\"", "d-1"}, {"", ""},
	} {
		e := bare("ids")
		e.EventID, e.UserID, e.DeviceID = "ids-"+string(rune('a'+i))+"-0000", id.user, id.device
		events = append(events, e)
	}
	return events
}

func purchase() event.Event {
	item := func(id, price string, quantity event.Value) event.Value {
		return event.Value{Kind: event.Object, Fields: []event.Property{
			{Name: "item_id", Value: event.StringValue(id)}, {Name: "item_name", Value: event.StringValue("Workers")},
			{Name: "price", Value: event.StringValue(price)}, {Name: "quantity", Value: quantity},
			{Name: "colour", Value: event.StringValue("green")}, {Name: "gift", Value: event.BoolValue(true)},
		}}
	}
	return with(Track(), func(e *event.Event) {
		e.Name = "purchase"
		e.Properties = []event.Property{
			{Name: "currency", Value: event.StringValue("eur")},
			{Name: "value", Value: event.NumberValue("59.90")},
			{Name: "transaction_id", Value: event.StringValue("T-1001")},
			{Name: "revenue", Value: event.NumberValue("59.90")},
			{Name: "price", Value: event.NumberValue("29.95")},
			{Name: "quantity", Value: event.NumberValue("2")},
			{Name: "productId", Value: event.StringValue("sku-1")},
			{Name: "items", Value: event.Value{Kind: event.Array, Items: []event.Value{
				item("sku-1", "29.95", event.NumberValue("1")), item("sku-2", "$19", event.StringValue("1")),
				{Kind: event.Object, Fields: []event.Property{{Name: "price", Value: event.NumberValue("1")}}},
			}}},
		}
	})
}

func manyProperties(n int) []event.Property {
	properties := make([]event.Property, 0, n)
	for i := n; i > 0; i-- {
		name := "property_" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		properties = append(properties, event.Property{Name: name, Value: event.NumberValue("1")})
	}
	return properties
}

// longValues makes everything a little longer than anyone's limit.
func longValues(e *event.Event) {
	e.Page.URL = "https://news.example.com/" + strings.Repeat("p", 1100)
	e.Page.Referrer = "https://www.google.com/" + strings.Repeat("r", 1100)
	e.Page.Title = strings.Repeat("Ti", 600)
	e.Properties = []event.Property{
		{Name: "plain", Value: event.StringValue(strings.Repeat("x", 1100))},
		{Name: "wide", Value: event.StringValue(strings.Repeat("東京🐦", 300))},
		{Name: strings.Repeat("name", 300), Value: event.NumberValue("1")},
	}
}

func tree(depth int) event.Value {
	if depth == 0 {
		return event.StringValue("leaf")
	}
	return event.Value{Kind: event.Object, Fields: []event.Property{{Name: "n", Value: tree(depth - 1)}}}
}
