package ga4

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const (
	maxItems      = 200 // of one event, by the reference's recommended events
	maxItemCustom = 10  // custom parameters of one item
)

// shop is what an event says about items and money. An event that is not one of
// the e-commerce events has money only.
type shop struct {
	event       string        // "" for other events
	items       []event.Value // objects
	value       string        // a number's literal
	currency    string        // three capital letters
	transaction string
}

// shopFor reads the properties that GA4 gives a meaning to.
func shopFor(name string, ev *event.Event) shop {
	var s shop
	if commerceEvent(name) {
		s.event = name
	}
	for i := range ev.Properties {
		v := &ev.Properties[i].Value
		switch ev.Properties[i].Name {
		case "value":
			if literal, ok := number(v); ok {
				s.value = literal
			}
		case "currency":
			s.currency = currency(v)
		case "items":
			if s.event != "" {
				s.items = usableItems(v)
			}
		case "transaction_id":
			if s.event != "" {
				s.transaction = flattener().Text(*v)
			}
		}
	}
	return s
}

// rule is the rule that the event breaks, or "".
func (s shop) rule() string {
	if s.event != "purchase" {
		return ""
	}
	switch {
	case s.transaction == "":
		return "purchase: needs transaction_id"
	case s.value == "" || s.currency == "":
		return "purchase: needs a numeric value and its currency, three letters"
	case len(s.items) == 0:
		return "purchase: needs items, each with item_id or item_name"
	}
	return ""
}

// owns reports whether appendShop deals with a property, so that it is not
// written again as a plain parameter.
func (s shop) owns(name string) bool {
	switch name {
	case "value", "currency":
		return true
	case "items", "transaction_id":
		return s.event != ""
	}
	return false
}

// appendShop writes the transaction, its money and its items. A value without its
// currency, or the other way round, says nothing to GA4 and is left out.
func (e *encoder) appendShop(b []byte, s shop) []byte {
	b = e.appendString(b, "transaction_id", s.transaction, maxValue)
	if s.value != "" && s.currency != "" {
		b = e.appendNumber(b, "value", s.value)
		b = e.appendString(b, "currency", s.currency, maxValue)
	}
	if len(s.items) == 0 {
		return b
	}
	e.params++
	b = append(tracker.AppendName(b, "items"), '[')
	for i := range s.items {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.appendItem(b, s.items[i].Fields)
	}
	return append(b, ']')
}

// appendItem writes one item: Google's own parameters, and at most 10 others by name.
func (e *encoder) appendItem(b []byte, fields []event.Property) []byte {
	b = append(b, '{')
	e.flat = flattener().Append(e.flat[:0], fields)
	custom := 0
	for _, p := range tracker.Rename(e.flat, parameterName) {
		if !itemParameter(p.Name) {
			if custom == maxItemCustom {
				continue
			}
			custom++
		}
		if p.Value.Kind == event.String && p.Name != "price" && p.Name != "quantity" {
			b = tracker.AppendText(tracker.AppendName(b, p.Name), p.Value.Text, maxValue)
		} else if literal, ok := number(&p.Value); ok {
			b = append(tracker.AppendName(b, p.Name), literal...)
		}
	}
	return append(b, '}')
}

// usableItems are the elements of an items array that GA4 can use.
func usableItems(v *event.Value) []event.Value {
	var items []event.Value
	for _, item := range v.Items { // of an array
		if len(items) < maxItems && item.Kind == event.Object && slices.ContainsFunc(item.Fields, identifies) {
			items = append(items, item)
		}
	}
	return items
}

// identifies reports whether a property of an item says which one it is.
func identifies(p event.Property) bool {
	named := p.Name == "item_id" || p.Name == "item_name"
	return named && (p.Value.Kind == event.String && p.Value.Text != "" || p.Value.Kind == event.Number && sendable(p.Value.Text))
}

// number is the literal of a number, or of a string that holds nothing else.
func number(v *event.Value) (string, bool) {
	switch v.Kind {
	case event.Number:
		return v.Text, sendable(v.Text)
	case event.String:
		text := strings.TrimSpace(v.Text)
		return text, len(text) <= maxNumber && decimal.MatchString(text)
	}
	return "", false
}

// sendable reports whether a number may be sent: a long one would be wrong once it
// is cut, and one beyond a double fails the whole request silently.
func sendable(literal string) bool {
	if len(literal) > maxNumber {
		return false
	}
	if !strings.ContainsAny(literal, "eE") {
		return true // a double can hold any number of so few digits
	}
	_, err := strconv.ParseFloat(literal, 64)
	return err == nil
}

// decimal is a number by JSON's grammar, with no exponent.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

var currencyCode = regexp.MustCompile(`^[A-Za-z]{3}$`)

// currency is the three capital letters of a currency, or "".
func currency(v *event.Value) string {
	if v.Kind != event.String || !currencyCode.MatchString(v.Text) {
		return ""
	}
	return strings.ToUpper(v.Text)
}

func commerceEvent(name string) bool {
	switch name {
	case "add_payment_info", "add_shipping_info", "add_to_cart", "add_to_wishlist", "begin_checkout", "purchase", "refund",
		"remove_from_cart", "select_item", "select_promotion", "view_cart", "view_item", "view_item_list", "view_promotion":
		return true
	}
	return false
}

// itemParameter reports whether Google prescribes the parameter, so that it
// does not count as custom.
func itemParameter(name string) bool {
	switch name {
	case "affiliation", "coupon", "creative_name", "creative_slot", "discount", "google_business_vertical", "index",
		"item_brand", "item_category", "item_category2", "item_category3", "item_category4", "item_category5",
		"item_id", "item_list_id", "item_list_name", "item_name", "item_variant", "location_id",
		"price", "promotion_id", "promotion_name", "quantity":
		return true
	}
	return false
}
