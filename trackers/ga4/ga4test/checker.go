package ga4test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// Message is one fault in the form of the validation endpoint.
type Message struct {
	FieldPath      string `json:"fieldPath"`
	Description    string `json:"description"`
	ValidationCode string `json:"validationCode"`
}

// checker collects what is wrong with one request.
type checker struct {
	messages []Message
	oldest   time.Time // zero: any time will do
}

func (c *checker) fault(path, code, description string, args ...any) {
	c.messages = append(c.messages, Message{path, fmt.Sprintf(description, args...), code})
}

type payload struct {
	ClientID string
	UserID   string
	Events   []sentEvent
}

type sentEvent struct {
	Name string
	raw  json.RawMessage
}

// payload checks a body and returns what could be read of it.
func (c *checker) payload(body []byte) payload {
	var top map[string]json.RawMessage
	if vendortest.Decode(body, &top) != nil {
		c.fault("", "VALUE_INVALID", "the body is not a JSON object")
		return payload{}
	}
	for key := range top {
		if !topLevel(key) {
			c.fault(key, "NAME_INVALID", "unknown key %q", key)
		}
	}
	if name, twice := vendortest.Repeated(body); twice {
		c.fault(name, "NAME_DUPLICATED", "stands twice in one object")
	}
	p := payload{ClientID: c.text(top, "client_id", maxBody), UserID: c.text(top, "user_id", 256)}
	if _, there := top["client_id"]; !there {
		c.fault("client_id", "VALUE_REQUIRED", "client_id is missing")
	}
	c.timestamp("timestamp_micros", unquoted(top["timestamp_micros"]))
	c.behavior(top)
	c.userData(top["user_data"])
	c.consent(top["consent"])
	c.device(top["device"])
	c.place(top["user_location"])
	c.userProperties(top["user_properties"])
	if ip := c.text(top, "ip_override", 100); ip != "" {
		if _, err := netip.ParseAddr(ip); err != nil {
			c.fault("ip_override", "VALUE_INVALID", "not an address")
		}
	}
	c.text(top, "user_agent", maxBody)
	p.Events = c.events(top["events"])
	return p
}

func topLevel(key string) bool {
	switch key {
	case "client_id", "user_id", "timestamp_micros", "user_properties", "consent", "ip_override", "user_location",
		"user_agent", "device", "user_data", "validation_behavior", "events":
		return true
	}
	return false
}

// text is an optional string member that must not be empty when it is there.
func (c *checker) text(top map[string]json.RawMessage, key string, limit int) string {
	raw, there := top[key]
	if !there {
		return ""
	}
	var s string
	switch {
	case json.Unmarshal(raw, &s) != nil:
		c.fault(key, "VALUE_INVALID", "not a string")
	case s == "":
		c.fault(key, "VALUE_INVALID", "an empty string; leave it out")
	case vendortest.Length(s) > limit:
		c.fault(key, "VALUE_OUT_OF_BOUNDS", "longer than %d characters", limit)
	}
	return s
}

func (c *checker) timestamp(path string, raw json.RawMessage) {
	if raw == nil {
		return
	}
	var n int64
	if json.Unmarshal(raw, &n) != nil {
		c.fault(path, "VALUE_INVALID", "not a whole number of microseconds")
		return
	}
	at := time.UnixMicro(n)
	if at.Year() < 2000 || at.Year() > 2100 {
		c.fault(path, "VALUE_OUT_OF_BOUNDS", "not in microseconds since 1970")
	} else if !c.oldest.IsZero() && at.Before(c.oldest) {
		c.fault(path, "VALUE_OUT_OF_BOUNDS", "older than 72 hours")
	} else if !c.oldest.IsZero() && at.After(c.oldest.Add(72*time.Hour+15*time.Minute)) {
		c.fault(path, "VALUE_OUT_OF_BOUNDS", "more than 15 minutes ahead")
	}
}

// unquoted is the number in a string: beside the events, the time may be one.
func unquoted(raw json.RawMessage) json.RawMessage {
	if len(raw) > 2 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		return raw[1 : len(raw)-1]
	}
	return raw
}

// behavior: how strictly the validation endpoint looks.
func (c *checker) behavior(top map[string]json.RawMessage) {
	switch c.text(top, "validation_behavior", 40) {
	case "", "RELAXED", "ENFORCE_RECOMMENDATIONS":
	default:
		c.fault("validation_behavior", "VALUE_INVALID", "want RELAXED or ENFORCE_RECOMMENDATIONS")
	}
}

// userData: what identifies a person for advertising comes as SHA-256 in hex.
func (c *checker) userData(raw json.RawMessage) {
	if raw == nil {
		return
	}
	var data map[string]any
	if json.Unmarshal(raw, &data) != nil {
		c.fault("user_data", "VALUE_INVALID", "not an object")
		return
	}
	for key, value := range data {
		text, _ := value.(string)
		if strings.HasPrefix(key, "sha256_") && !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(text) {
			c.fault("user_data."+key, "VALUE_INVALID", "not SHA-256 in hexadecimal digits")
		}
	}
}

func (c *checker) consent(raw json.RawMessage) {
	if raw == nil {
		return
	}
	var consent map[string]string
	if json.Unmarshal(raw, &consent) != nil {
		c.fault("consent", "VALUE_INVALID", "not an object of strings")
		return
	}
	for key, value := range consent {
		if key != "ad_user_data" && key != "ad_personalization" || value != "GRANTED" && value != "DENIED" {
			c.fault("consent."+key, "VALUE_INVALID", "want ad_user_data and ad_personalization, GRANTED or DENIED")
		}
	}
}

func (c *checker) device(raw json.RawMessage) {
	if raw == nil {
		return
	}
	var device map[string]string
	if json.Unmarshal(raw, &device) != nil {
		c.fault("device", "VALUE_INVALID", "not an object of strings")
		return
	}
	for key := range device {
		switch key {
		case "category", "language", "screen_resolution", "operating_system", "operating_system_version", "model", "brand", "browser", "browser_version":
		default:
			c.fault("device."+key, "NAME_INVALID", "unknown key")
		}
	}
}

func (c *checker) place(raw json.RawMessage) {
	if raw == nil {
		return
	}
	var place map[string]string
	if json.Unmarshal(raw, &place) != nil {
		c.fault("user_location", "VALUE_INVALID", "not an object of strings")
		return
	}
	for key, value := range place {
		switch {
		case key != "city" && key != "region_id" && key != "country_id" && key != "subcontinent_id" && key != "continent_id":
			c.fault("user_location."+key, "NAME_INVALID", "unknown key")
		case value == "", key == "country_id" && len(value) != 2, key == "region_id" && (len(value) < 4 || value[2] != '-'):
			c.fault("user_location."+key, "VALUE_INVALID", "want a code such as US or US-CA, or a name")
		}
	}
}

// name checks a name of an event, parameter or user property: what Google keeps to
// itself, then the length and the characters.
func (c *checker) name(path, name string, limit int) {
	for _, prefix := range [...]string{"_", "firebase_", "ga_", "google_", "gtag."} {
		if strings.HasPrefix(name, prefix) {
			c.fault(path, "NAME_RESERVED", "the prefix %s is reserved", prefix)
			return
		}
	}
	switch {
	case len(name) > limit:
		c.fault(path, "NAME_INVALID", "longer than %d characters", limit)
	case !legal(name):
		c.fault(path, "NAME_INVALID", "must begin with a letter; only alphanumeric characters and underscores are allowed")
	}
}

// legal reports whether a name matches ^[A-Za-z][A-Za-z0-9_]*$.
func legal(name string) bool {
	const letters, rest = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "0123456789_"
	return name != "" && strings.Contains(letters, name[:1]) && !strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune(letters+rest, r)
	})
}

// scalar checks a parameter's value: a string within the limit, or a number.
func (c *checker) scalar(path string, value any, limit int) {
	switch v := value.(type) {
	case json.Number:
		if len(v) > limit {
			c.fault(path, "VALUE_OUT_OF_BOUNDS", "longer than %d characters", limit)
		}
		if _, err := v.Float64(); err != nil {
			c.fault(path, "VALUE_OUT_OF_BOUNDS", "beyond the range of a double")
		}
	case string:
		if v == "" {
			c.fault(path, "VALUE_INVALID", "an empty string; leave it out")
		}
		if vendortest.Length(v) > limit {
			c.fault(path, "VALUE_OUT_OF_BOUNDS", "longer than %d characters", limit)
		}
	default:
		c.fault(path, "VALUE_INVALID", "neither a string nor a number")
	}
}
