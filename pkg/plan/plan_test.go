package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
)

const shop = `
version: 3
defaults: { consent: [analytics] }
context: { ip: true, screen: false }
userProperties:
  tier: string
events:
  pageview:
    consent: []
    properties: { pathname: string }
  purchase product:
    description: The visitor bought something.
    trackers: [ga4, amplitude]
    names: { ga4: purchase }
    properties:
      category: string
      price: { type: number, description: In euros., required: true }
      size: { type: string, values: [S, M, L] }
      2nd hand: boolean
      contact: { type: string, allow: [email] }
      items: { type: array, of: { type: object, properties: { id: string, count: integer } } }
  internal:
    trackers: []
`

func parse(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, err := plan.Parse("plan.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sends reports whether the plan sends an event to a tracker.
func sends(p *plan.Plan, event, tracker string) bool {
	e, ok := p.Event(event)
	return ok && e.RoutedTo(tracker)
}

func TestParse(t *testing.T) {
	p := parse(t, shop)
	if got, want := p.Events(), []string{"internal", "pageview", "purchase product"}; !cmp.Equal(got, want) {
		t.Errorf("events %q", got)
	}
	if got, want := p.Context(), (plan.Context{Page: true, Locale: true, SessionID: true, UserAgent: true, IP: true}); got != want {
		t.Errorf("context %+v", got)
	}
	if p.Label() != "3" || p.Text() != shop {
		t.Errorf("label %q", p.Label())
	}
	purchase, ok := p.Event("purchase product")
	if !ok {
		t.Fatal("no purchase")
	}
	if !cmp.Equal(purchase.Consent, []string{"analytics"}) || !cmp.Equal(purchase.Required(), []string{"price"}) || purchase.Names["ga4"] != "purchase" {
		t.Errorf("purchase %+v", purchase)
	}
	if purchase.MissingConsent(map[string]bool{"analytics": false}) != "analytics" || purchase.MissingConsent(map[string]bool{"analytics": true}) != "" {
		t.Error("consent of a purchase")
	}
	if pageview, _ := p.Event("pageview"); pageview.MissingConsent(nil) != "" {
		t.Error("an empty list needs no consent")
	}
	for _, tc := range []struct {
		event, tracker string
		want           bool
	}{
		{"pageview", "heap", true}, {"purchase product", "ga4", true}, {"purchase product", "heap", false},
		{"internal", "ga4", false}, {"Pageview", "ga4", false}, {"", "", false},
	} {
		if ok := sends(p, tc.event, tc.tracker); ok != tc.want {
			t.Errorf("%s at %s: %v", tc.event, tc.tracker, ok)
		}
	}
}

func TestColumns(t *testing.T) {
	want := []plan.Column{
		{"_2nd_hand", "2nd hand", "boolean", ""}, {"category", "category", "string", ""}, {"contact", "contact", "string", ""},
		{"items", "items", "json", ""}, {"pathname", "pathname", "string", ""}, {"price", "price", "number", "In euros."}, {"size", "size", "string", ""},
	}
	if diff := cmp.Diff(want, parse(t, shop).Columns()); diff != "" {
		t.Error(diff)
	}
	if got := plan.SafeName(strings.Repeat("ä", 400)); len(got) != 300 || strings.Trim(got, "_") != "" {
		t.Errorf("safe name %q", got)
	}
}

func TestVersion(t *testing.T) {
	a := parse(t, "events:\n  a: { properties: { x: string, y: number } }\n  b: {}\n")
	b := parse(t, "# a comment\nevents:\n  b: {}\n  a:\n    properties:\n      y: { type: number }\n      x: string\n")
	c := parse(t, "events:\n  a: { properties: { x: string, y: integer } }\n  b: {}\n")
	if a.Version() != b.Version() || len(a.Version()) != 12 {
		t.Errorf("same meaning, versions %s and %s", a.Version(), b.Version())
	}
	if a.Version() == c.Version() {
		t.Error("another type, same version")
	}
	if x, y := parse(t, "events: { a: {} }"), parse(t, "events: { a: { trackers: [] } }"); x.Version() == y.Version() {
		t.Error("all trackers and none have the same version")
	}
}

func TestMistakes(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"top":                             {"evens: {}", []string{`plan.yaml:1: unknown key "evens"; did you mean "events"?`}},
		"event key":                       {"events:\n  a:\n    tracker: [x]\n", []string{`plan.yaml:3: unknown key "tracker"`, `"trackers"`, `event "a"`}},
		"property key":                    {"events:\n  a:\n    properties:\n      p: { type: string, requird: true }\n", []string{`plan.yaml:4: unknown key "requird"; did you mean "required"?`}},
		"type":                            {"events:\n  a:\n    properties:\n      p: sting\n", []string{`plan.yaml:4:`, `unknown type "sting"; did you mean "string"?`}},
		"no type":                         {"events:\n  a:\n    properties:\n      p: { required: true }\n", []string{"type: required"}},
		"null property":                   {"events:\n  a:\n    properties:\n      p:\n", []string{"type: required"}},
		"twice":                           {"events:\n  a: {}\n  a: {}\n", []string{"plan.yaml:3"}},
		"all at once":                     {"events:\n  a:\n    properties:\n      p: sting\n      q: { type: nmber }\n  b: { consnt: [x] }\n", []string{`"sting"`, `"nmber"`, `"consnt"`}},
		"conflict":                        {"events:\n  a: { properties: { p: string } }\n  b: { properties: { p: number } }\n", []string{"plan.yaml:3", `property "p" is of type number here and string in event "a"`}},
		"same column":                     {"events:\n  a: { properties: { a-b: string, A_B: string } }\n", []string{"same column", "a_b"}},
		"reserved":                        {"events:\n  a: { properties: { DeviceID: string } }\n", []string{"DeviceID", "one of Sparrow's own"}},
		"reserved 2":                      {"events:\n  a: { properties: { _PARTITIONTIME: string } }\n", []string{"reserved by warehouses"}},
		"values":                          {"events:\n  a: { properties: { p: { type: object, values: [x] } } }\n", []string{"values:"}},
		"of":                              {"events:\n  a: { properties: { p: { type: string, of: string } } }\n", []string{"of: only for type array"}},
		"inner":                           {"events:\n  a: { properties: { p: { type: string, properties: { q: string } } } }\n", []string{"properties: only for type object"}},
		"deep required":                   {"events:\n  a: { properties: { p: { type: object, properties: { q: { type: string, required: true } } } } }\n", []string{"required: only"}},
		"a terminal's controls in a name": {"events:\n  \"a\\e]0;owned\\a\": {}\n", []string{"without control characters"}},
		"empty name":                      {"events:\n  \"\": {}\n", []string{"must not be empty"}},
		"tracker twice":                   {"events:\n  a: { trackers: [x, x] }\n", []string{"stands twice"}},
		"wrong kind":                      {"events: [a]", []string{"plan.yaml:1"}},
		"not yaml":                        {"events: [", []string{"plan.yaml:1"}},
		"too deep":                        {"events: { a: { properties: { p: " + strings.Repeat("{ type: array, of: ", 9) + "string" + strings.Repeat(" }", 9) + " } } }", []string{"deeper than 8"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := plan.Parse("plan.yaml", []byte(tc.text))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

func TestEmptyPlanAllowsNothing(t *testing.T) {
	for _, text := range []string{"", "events: {}", "events:\n", "# nothing"} {
		if sends(parse(t, text), "pageview", "ga4") {
			t.Errorf("%q allows a pageview", text)
		}
	}
	if e, ok := parse(t, "events:\n  pageview:\n").Event("pageview"); !ok || len(e.Properties) != 0 {
		t.Error("an event without anything is in the plan and has no properties")
	}
}

func TestCheckTrackers(t *testing.T) {
	err := parse(t, shop).CheckTrackers([]string{"ga4", "amplitudo"})
	if err == nil || !strings.Contains(err.Error(), `tracker "amplitude" is not configured; did you mean "amplitudo"?`) || strings.Contains(err.Error(), "ga4") {
		t.Errorf("error %v", err)
	}
	if err := parse(t, shop).CheckTrackers([]string{"ga4", "amplitude"}); err != nil {
		t.Error(err)
	}
}

func TestCheckKinds(t *testing.T) {
	err := parse(t, shop).CheckKinds([]string{"emails"})
	if err == nil || !strings.Contains(err.Error(), `unknown kind "email"; did you mean "emails"?`) {
		t.Errorf("error %v", err)
	}
}

func TestFilter(t *testing.T) {
	object := func(fields ...event.Property) event.Value { return event.Value{Kind: event.Object, Fields: fields} }
	field := func(name string, v event.Value) event.Property { return event.Property{Name: name, Value: v} }
	s, n := event.StringValue, event.NumberValue
	inner := map[string]*plan.Property{"id": {Type: plan.String}}
	for name, tc := range map[string]struct {
		p     plan.Property
		in    event.Value
		out   event.Value
		fault plan.Fault
		ok    bool
	}{
		"string":            {plan.Property{Type: plan.String}, s("x"), s("x"), plan.Sound, true},
		"string, a number":  {plan.Property{Type: plan.String}, n("1"), event.Value{}, plan.WrongType, false},
		"string, null":      {plan.Property{Type: plan.String}, event.Value{}, event.Value{}, plan.Sound, false},
		"any, null":         {plan.Property{Type: plan.Any}, event.Value{}, event.Value{}, plan.Sound, true},
		"integer":           {plan.Property{Type: plan.Integer}, n("-12345678901234567890"), n("-12345678901234567890"), plan.Sound, true},
		"integer, fraction": {plan.Property{Type: plan.Integer}, n("1.0"), event.Value{}, plan.WrongType, false},
		"integer, exponent": {plan.Property{Type: plan.Integer}, n("1e3"), event.Value{}, plan.WrongType, false},
		"boolean":           {plan.Property{Type: plan.Boolean}, event.BoolValue(false), event.BoolValue(false), plan.Sound, true},
		"timestamp":         {plan.Property{Type: plan.Timestamp}, s("2026-01-31T12:00:00Z"), s("2026-01-31T12:00:00Z"), plan.Sound, true},
		"timestamp, a date": {plan.Property{Type: plan.Timestamp}, s("2026-01-31"), event.Value{}, plan.WrongType, false},
		"values":            {plan.Property{Type: plan.Number, Values: []string{"1.10"}}, n("1.1"), event.Value{}, plan.WrongValue, false},
		"free object":       {plan.Property{Type: plan.Object}, object(field("x", n("1"))), object(field("x", n("1"))), plan.Sound, true},
		"object": {plan.Property{Type: plan.Object, Properties: inner}, object(field("x", n("1")), field("id", s("a"))),
			object(field("id", s("a"))), plan.Sound, true},
		"object, wrong member": {plan.Property{Type: plan.Object, Properties: inner}, object(field("id", n("1"))), object(), plan.WrongType, true},
		"array": {plan.Property{Type: plan.Array, Of: &plan.Property{Type: plan.String}}, event.Value{Kind: event.Array, Items: []event.Value{s("a"), n("1"), s("b")}},
			event.Value{Kind: event.Array, Items: []event.Value{s("a"), s("b")}}, plan.WrongType, true},
	} {
		t.Run(name, func(t *testing.T) {
			out, fault, ok := tc.p.Filter(tc.in)
			if fault != tc.fault || ok != tc.ok || ok && cmp.Diff(out, tc.out, cmpopts.EquateEmpty()) != "" {
				t.Errorf("got %+v, %q, %v", out, fault, ok)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(shop))
	f.Add([]byte("events: { a: { properties: { p: { type: array, of: { of: string } } } } }"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := plan.Parse("plan.yaml", text)
		if err != nil {
			return
		}
		for _, name := range p.Events() {
			if e, _ := p.Event(name); e == nil {
				t.Errorf("event %q is nil", name)
			}
		}
		p.Columns()
	})
}
