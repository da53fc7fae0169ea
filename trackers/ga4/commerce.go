package ga4

import (
	"strconv"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const (
	maxItems      = 200 // of one event, by the reference's recommended events
	maxItemCustom = 10  // custom parameters of one item
)

// shop is what an event says of goods and money. Of an event that is not one of
// the e-commerce events it holds the money alone.
type shop struct {
	event       string           // "" for other events
	items       []event.Property // of the array's elements: each Value is an object
	value       string           // a number's literal
	currency    string           // three capital letters
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
		b = e.appendItem(b, s.items[i].Value.Fields)
	}
	return append(b, ']')
}

// appendItem writes one item: Google's own parameters, and at most 10 others by name.
func (e *encoder) appendItem(b []byte, fields []event.Property) []byte {
	b = append(b, '{')
	e.flat = flattener().Append(e.flat[:0], fields)
	for i := range e.flat {
		e.flat[i].Name = parameterName(e.flat[i].Name)
	}
	custom := 0
	for _, p := range tracker.SortUnique(e.flat) {
		if p.Name == "" {
			continue
		}
		if !itemParameter(p.Name) {
			if custom == maxItemCustom {
				continue
			}
			custom++
		}
		if p.Value.Kind == event.String && !numericItemParameter(p.Name) {
			b = tracker.AppendText(tracker.AppendName(b, p.Name), p.Value.Text, maxValue)
		} else if literal, ok := number(&p.Value); ok {
			b = append(tracker.AppendName(b, p.Name), literal...)
		}
	}
	return append(b, '}')
}

// usableItems are the elements of an items array that GA4 can use.
func usableItems(v *event.Value) []event.Property {
	if v.Kind != event.Array {
		return nil
	}
	var items []event.Property
	for _, item := range v.Items {
		if len(items) < maxItems && item.Kind == event.Object && identified(item.Fields) {
			items = append(items, event.Property{Value: item})
		}
	}
	return items
}

func identified(fields []event.Property) bool {
	for i := range fields {
		if fields[i].Name != "item_id" && fields[i].Name != "item_name" {
			continue
		}
		if v := &fields[i].Value; v.Kind == event.String && v.Text != "" || v.Kind == event.Number && sendable(v.Text) {
			return true
		}
	}
	return false
}

// number is the literal of a number, or of a string that holds nothing else.
func number(v *event.Value) (string, bool) {
	switch v.Kind {
	case event.Number:
		return v.Text, sendable(v.Text)
	case event.String:
		text := strings.TrimSpace(v.Text)
		return text, len(text) <= maxNumber && isNumber(text)
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
		return true // so few digits are within
	}
	_, err := strconv.ParseFloat(literal, 64)
	return err == nil
}

// isNumber reports whether s is a number by JSON's grammar, with no exponent.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, dotted := strings.Cut(s, ".")
	if whole == "" || len(whole) > 1 && whole[0] == '0' || dotted && fraction == "" {
		return false
	}
	return digits(whole) && digits(fraction)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// currency is the three capital letters of a currency, or "".
func currency(v *event.Value) string {
	if v.Kind != event.String || len(v.Text) != 3 || !letter(v.Text[0]) || !letter(v.Text[1]) || !letter(v.Text[2]) {
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

func numericItemParameter(name string) bool { return name == "price" || name == "quantity" }
