package http

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// input is the event as a program is given it; the package's doc lists it.
func input(e *event.Event) map[string]any {
	in := map[string]any{
		"event": e.Name, "receipt": e.Receipt.String(),
		"properties": object(e.Properties), "userProperties": object(e.UserProperties), "context": surroundings(e),
	}
	texts(in, "eventId", e.EventID, "deviceId", e.DeviceID, "userId", e.UserID)
	moment(in, "timestamp", e.Time)
	moment(in, "receivedAt", e.ReceivedAt)
	return in
}

func surroundings(e *event.Event) map[string]any {
	around := map[string]any{}
	page := map[string]any{}
	texts(page, "url", e.Page.URL, "path", e.Page.Path, "referrer", e.Page.Referrer, "title", e.Page.Title)
	if len(page) > 0 {
		around["page"] = page
	}
	if e.Screen.Width > 0 && e.Screen.Height > 0 {
		around["screen"] = map[string]any{"width": e.Screen.Width, "height": e.Screen.Height}
	}
	texts(around, "locale", e.Locale, "sessionId", e.SessionID, "userAgent", e.UserAgent, "ip", e.IP)
	if len(e.Consent) > 0 {
		consent := make(map[string]any, len(e.Consent))
		for purpose, given := range e.Consent {
			consent[purpose] = given
		}
		around["consent"] = consent
	}
	return around
}

// texts sets the members that have a value: names and values in turn.
func texts(into map[string]any, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			into[pairs[i]] = pairs[i+1]
		}
	}
}

func moment(into map[string]any, name string, at time.Time) {
	if at.IsZero() {
		return
	}
	into[name] = at.UTC().Format(timeLayout)
	into[name+"Ms"] = int(at.UnixMilli())
}

func object(fields []event.Property) map[string]any {
	m := make(map[string]any, len(fields))
	for i := range fields {
		m[fields[i].Name] = value(&fields[i].Value)
	}
	return m
}

// value is a JSON value as the interpreter has it. A number keeps its digits.
func value(v *event.Value) any {
	switch v.Kind {
	case event.True, event.False:
		return v.Kind == event.True
	case event.Number:
		return json.Number(v.Text)
	case event.String:
		return v.Text
	case event.Array:
		list := make([]any, len(v.Items))
		for i := range v.Items {
			list[i] = value(&v.Items[i])
		}
		return list
	case event.Object:
		return object(v.Fields)
	default:
		return nil
	}
}

var errSize = errors.New("larger than a request")

// maxValueDepth bounds the nesting of what a program gives.
const maxValueDepth = 1000

// appendValue appends what a program gave as compact JSON, members sorted by
// name, or fails as soon as it is longer than limit: a value of few steps can
// share its parts and be endless when it is written.
func appendValue(b []byte, v any, limit, depth int) ([]byte, error) {
	if len(b) > limit || depth > maxValueDepth {
		return b, errSize
	}
	switch v := v.(type) {
	case nil:
		b = append(b, "null"...)
	case bool:
		b = strconv.AppendBool(b, v)
	case int:
		b = strconv.AppendInt(b, int64(v), 10)
	case float64:
		b = appendFloat(b, v)
	case *big.Int:
		b = v.Append(b, 10)
	case json.Number:
		b = append(b, v...)
	case string:
		b = event.AppendQuoted(b, v)
	case []any:
		return appendArray(b, v, limit, depth)
	case map[string]any:
		return appendObject(b, v, limit, depth)
	default:
		return b, errors.New("not JSON")
	}
	if len(b) > limit {
		return b, errSize
	}
	return b, nil
}

// appendFloat writes the shortest digits that mean v. A value that JSON
// cannot express is written as jq does.
func appendFloat(b []byte, v float64) []byte {
	if math.IsNaN(v) {
		return append(b, "null"...)
	}
	v = min(max(v, -math.MaxFloat64), math.MaxFloat64)
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, 64)
}

func appendArray(b []byte, list []any, limit, depth int) ([]byte, error) {
	var err error
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, v, limit, depth+1); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendObject(b []byte, members map[string]any, limit, depth int) ([]byte, error) {
	var err error
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(event.AppendQuoted(b, name), ':')
		if b, err = appendValue(b, members[name], limit, depth+1); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}
