package trackertest

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Events is n random events, the same for the same seed, each with an EventID of
// its own. Most are ordinary; all that a plan and a sanitizer could let through
// is among them.
func Events(seed uint64, n int) []event.Event {
	g := generator{rand.New(rand.NewPCG(seed, 0x5BA9905))}
	events := make([]event.Event, n)
	for i := range events {
		events[i] = g.event(seed, i)
	}
	return events
}

type generator struct{ *rand.Rand }

func (g generator) event(seed uint64, i int) event.Event {
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC).Add(time.Duration(g.IntN(86_400_000)) * time.Millisecond)
	e := event.Event{
		Receipt:    event.Receipt{Epoch: "e1", Position: event.Position{Seq: seed + 1, Index: uint32(i)}},
		EventID:    "evt-" + strconv.FormatUint(seed, 36) + "-" + strconv.Itoa(i) + "-0000",
		Name:       g.name(),
		DeviceID:   "device-" + strconv.Itoa(g.IntN(40)),
		Time:       at,
		ReceivedAt: at.Add(time.Second),
		Properties: g.properties(0),
		SessionID:  g.pick("", "", "1795165800", "1795165800123", "s-4711", "-1", "17951658001234567890"),
		UserAgent:  g.pick("", chrome, "curl/8.5.0", "agent \"quoted\" ü"),
		Locale:     g.pick("", "en-GB", "de"),
		IP:         g.pick("", "203.0.113.0", "2001:db8:12::"),
	}
	if g.IntN(4) > 0 {
		e.UserID = g.pick("user-"+strconv.Itoa(g.IntN(60)), "7", "null", "Ünïcode-"+strconv.Itoa(g.IntN(9)), strings.Repeat("u", 240+g.IntN(40)))
	}
	if g.IntN(20) == 0 {
		e.DeviceID = g.pick("unknown", "0", "", "x")
	}
	if g.IntN(3) > 0 {
		e.Page = event.Page{
			URL:  "https://shop.example.com/" + g.text(60) + g.pick("", "?utm_source=x", "#top"),
			Path: "/" + g.text(30), Referrer: g.pick("", "https://www.example.org/"+g.text(600)), Title: g.text(400),
		}
		e.Screen = event.Screen{Width: g.IntN(3000), Height: g.IntN(2000)}
	}
	if g.IntN(5) == 0 {
		e.UserProperties = g.properties(1)
	}
	if g.IntN(3) == 0 {
		e.Consent = map[string]bool{"analytics": true, "marketing": g.IntN(2) == 0}
	}
	if g.IntN(100) == 0 {
		e.Time = time.Time{}
	}
	return e
}

func (g generator) name() string {
	if g.IntN(12) > 0 {
		return g.pick("pageview", "Article Shared", "signed_up", "purchase", "add_to_cart", "checkout.started", "video play", "Order Completed")
	}
	return g.pick(
		"session_start", "_x", "ga_x", "gtag.js", "9lives", "", " ", "\t", "購入", "$identify", "[Amplitude] Revenue", "error",
		strings.Repeat("a very long name ", 80), "emoji 🐦 name", "a\x00b", "broken\xff", "x", g.text(50),
	)
}

func (g generator) properties(depth int) []event.Property {
	n := g.IntN(8)
	switch k := g.IntN(400); {
	case k < 10:
		n = 30 + g.IntN(40)
	case k == 10:
		n = 1000 + g.IntN(200)
	}
	if depth > 0 {
		n = g.IntN(4)
	}
	var properties []event.Property
	seen := map[string]bool{}
	for range n {
		name := g.propertyName()
		if n > 8 {
			name += strconv.Itoa(g.IntN(5000))
		}
		if !seen[name] {
			seen[name] = true
			properties = append(properties, event.Property{Name: name, Value: g.value(depth)})
		}
	}
	return properties
}

func (g generator) propertyName() string {
	if g.IntN(4) > 0 {
		return g.pick("category", "productName", "article id", "price", "quantity", "value", "currency", "revenue", "transaction_id", "items", "plan", "channel", "productId")
	}
	return g.pick("", " ", "ga_x", "_id", "user.id", "user_id", "日本", "firebase_conversion", "session_id", "engagement_time_msec",
		"page_title", "url", "[Amplitude] Page URL", "a\"b", "1st", strings.Repeat("key", 400), g.text(30))
}

func (g generator) value(depth int) event.Value {
	kinds := 9
	if depth > 4 {
		kinds = 6
	}
	switch g.IntN(kinds) {
	case 0:
		return event.Value{}
	case 1:
		return event.BoolValue(g.IntN(2) == 0)
	case 2, 3:
		return event.NumberValue(g.pick("0", "-1", "42", "1.10", "1e5", "-2.5E-7", "1e400", "12345678901234567890", "0.1", strings.Repeat("8", 90+g.IntN(30))))
	case 4, 5:
		if g.IntN(40) == 0 {
			return event.StringValue(g.text(2500))
		}
		return event.StringValue(g.pick("", "EUR", "usd", "19.95", "$19", g.text(30)))
	case 6:
		return event.Value{Kind: event.Object, Fields: g.properties(depth + 1)}
	case 7:
		return g.items()
	default:
		v := event.Value{Kind: event.Array}
		for range g.IntN(5) {
			v.Items = append(v.Items, g.value(depth+1))
		}
		return v
	}
}

// items is an array such as that of an e-commerce event.
func (g generator) items() event.Value {
	v := event.Value{Kind: event.Array}
	for range g.IntN(4) {
		fields := []event.Property{
			{Name: g.pick("item_id", "item_name", "sku"), Value: event.StringValue(g.text(20))},
			{Name: "price", Value: g.value(5)}, {Name: "quantity", Value: g.value(5)}, {Name: "index", Value: event.NumberValue("1")},
		}
		for i := range g.IntN(20) {
			fields = append(fields, event.Property{Name: "custom" + strconv.Itoa(i), Value: g.value(5)})
		}
		v.Items = append(v.Items, event.Value{Kind: event.Object, Fields: fields})
	}
	return v
}

// text is up to n bytes of whatever people and programs write.
func (g generator) text(n int) string {
	words := []string{"alpha", " ", "Österreich", "東京", "🐦🐦", "\"", "\\", "\n", "<b>", "\x01", "\u2028", "-", "0123456789", "\xc3", "it's", "%20&="}
	var b strings.Builder
	for limit := 1 + g.IntN(n); b.Len() < limit; {
		b.WriteString(words[g.IntN(len(words))])
	}
	return b.String()
}

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }
