package amplitudetest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// upload is a request as it came.
type upload struct {
	APIKey  string          `json:"api_key"`
	Events  []sentEvent     `json:"events"`
	Options json.RawMessage `json:"options"`
}

// minIDLength is what options say, or the vendor's default.
func (u upload) minIDLength() int {
	options := struct {
		MinIDLength int `json:"min_id_length"`
	}{5}
	if json.Unmarshal(u.Options, &options) != nil {
		return 5
	}
	return options.MinIDLength
}

type sentEvent struct {
	members map[string]any
	raw     json.RawMessage
}

// UnmarshalJSON keeps the event's bytes and its numbers as they came.
func (e *sentEvent) UnmarshalJSON(data []byte) error {
	e.raw = bytes.Clone(data)
	return vendortest.Decode(data, &e.members)
}

func (e sentEvent) text(name string) string {
	s, _ := e.members[name].(string)
	return s
}

// checkEvents holds each event against the rules. Its answer names the events at
// fault by field.
func (s *Server) checkEvents(sent upload, l limits) answer {
	a := answer{Code: http.StatusOK, InvalidFields: map[string][]int{}, MissingFields: map[string][]int{}, InvalidIDLengths: map[string][]int{}}
	add := func(fields map[string][]int, name string, i int) {
		a.Code = http.StatusBadRequest
		a.Error = "Invalid field values on some events"
		if !s.options.FirstOnly || len(fields[name]) == 0 {
			fields[name] = append(fields[name], i)
		}
	}
	for i, e := range sent.Events {
		if e.members["event_type"] == nil {
			add(a.MissingFields, "event_type", i)
		}
		for _, name := range e.invalid(l) {
			add(a.InvalidFields, name, i)
		}
		left := 0
		for _, name := range [...]string{"user_id", "device_id"} {
			id := e.text(name)
			switch {
			case id == "":
			case forbidden(id):
				add(a.InvalidFields, name, i)
			case len(id) < sent.minIDLength():
				add(a.InvalidIDLengths, name, i)
			default:
				left++
			}
		}
		if left == 0 {
			add(a.MissingFields, "device_id", i)
		}
	}
	return a
}

func forbidden(id string) bool {
	return slices.Contains([]string{
		"anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "", "00000000-0000-0000-0000-000000000000",
		"{}", "lmy47d", "0", "-1",
	}, strings.ToLower(strings.TrimSpace(id)))
}

// invalid names the fields of an event whose values the API does not accept.
func (e sentEvent) invalid(l limits) []string {
	var names []string
	for name, value := range e.members {
		if !validField(name, value, l) {
			names = append(names, name)
		}
	}
	if e.members["revenue"] != nil && e.members["price"] != nil && e.members["quantity"] != nil {
		names = append(names, "revenue") // price times quantity would replace it
	}
	return append(names, e.special()...)
}

func validField(name string, value any, l limits) bool {
	text, isText := value.(string)
	number, isNumber := value.(json.Number)
	switch name {
	case "event_type":
		return isText && text != "" && vendortest.Length(text) <= 1024 && !reserved(text)
	case "ip":
		_, err := netip.ParseAddr(text) // "$remote" would be the sender's own
		return err == nil
	case "user_agent":
		return isText && text != "" && vendortest.Length(text) <= 1024 && l.userAgent
	case "user_id", "device_id", "insert_id", "language", "platform", "productId", "revenueType", "currency", "library", "app_version",
		"os_name", "os_version", "device_brand", "device_model", "country", "region", "city":
		return isText && text != "" && vendortest.Length(text) <= 1024
	case "time":
		ms, err := number.Int64()
		return isNumber && err == nil && whole(number) && plausible(ms)
	case "session_id":
		ms, err := number.Int64()
		return isNumber && err == nil && whole(number) && (ms == -1 || plausible(ms))
	case "event_properties", "user_properties", "group_properties":
		object, ok := value.(map[string]any)
		return ok && within(object, 1)
	case "groups":
		return fewGroups(value)
	case "revenue", "price":
		return isNumber
	case "quantity", "event_id":
		return isNumber && whole(number)
	case "$skip_user_properties_sync":
		_, ok := value.(bool)
		return ok
	}
	return false
}

// fewGroups: at most 5 types of group, and at most 10 values of each.
func fewGroups(value any) bool {
	groups, ok := value.(map[string]any)
	if !ok || len(groups) > 5 {
		return false
	}
	for _, group := range groups {
		if names, list := group.([]any); list && len(names) > 10 {
			return false
		}
	}
	return true
}

func whole(n json.Number) bool { return !strings.ContainsAny(n.String(), ".eE") }

// plausible tells milliseconds from seconds and microseconds.
func plausible(ms int64) bool {
	at := time.UnixMilli(ms)
	return at.Year() >= 2000 && at.Year() <= 2100
}

func reserved(name string) bool {
	return slices.Contains([]string{
		"[Amplitude] Start Session", "[Amplitude] End Session", "[Amplitude] Revenue", "[Amplitude] Revenue (Verified)",
		"[Amplitude] Revenue (Unverified)", "[Amplitude] Merged User",
	}, name)
}

// within: strings of at most 1024 characters, objects at most 40 deep, at most
// 1000 keys.
func within(value any, depth int) bool {
	switch v := value.(type) {
	case string:
		return vendortest.Length(v) <= 1024
	case []any:
		return depth <= 40 && !slices.ContainsFunc(v, func(item any) bool { return !within(item, depth+1) })
	case map[string]any:
		if depth > 40 || len(v) > 1000 {
			return false
		}
		for _, item := range v {
			if !within(item, depth+1) {
				return false
			}
		}
	}
	return true
}
