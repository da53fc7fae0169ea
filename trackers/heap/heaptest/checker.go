package heaptest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// checker collects what is wrong with one request.
type checker struct{ violations []vendortest.Violation }

func (c *checker) fault(rule, detail string, args ...any) {
	c.violations = append(c.violations, vendortest.Violation{Rule: rule, Detail: fmt.Sprintf(detail, args...)})
}

// checkHeaders checks the headers of a request.
func (c *checker) checkHeaders(r *http.Request) {
	if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Accept") != "application/json" {
		c.fault("headers", "want Content-Type and Accept application/json")
	}
}

// repeated reports a member name that an object has twice: the reference does not
// say which of the two counts.
func (c *checker) repeated(body []byte) {
	if name, twice := vendortest.Repeated(body); twice {
		c.fault("json", "%.40q stands twice in one object", name)
	}
}

// app is the environment's id, digits in a string.
func (c *checker) app(top map[string]json.RawMessage) string {
	id, _ := c.text("", top, "app_id", 64)
	if id == "" || strings.Trim(id, "0123456789") != "" {
		c.fault("app_id", "required, a string of digits")
	}
	return id
}

// onlyMembers reports members that the reference does not list.
func (c *checker) onlyMembers(path string, members map[string]json.RawMessage, names ...string) {
	for name := range members {
		if !slices.Contains(names, name) {
			c.fault("unknown member", "%s.%s", path, name)
		}
	}
}

func (c *checker) event(path string, raw json.RawMessage) vendortest.Entry {
	var e map[string]json.RawMessage
	if vendortest.Decode(raw, &e) != nil {
		c.fault("event", "%s is not an object", path)
		return vendortest.Entry{}
	}
	c.onlyMembers(path, e, "app_id", "event", "identity", "user_id", "session_id", "properties", "timestamp", "idempotency_key")
	entry := vendortest.Entry{Data: raw}
	entry.Name, _ = c.text(path, e, "event", 1024)
	if entry.Name == "" {
		c.fault("event", "%s.event is required", path)
	}
	entry.Key, _ = c.text(path, e, "idempotency_key", 1024)
	c.text(path, e, "session_id", 1024)
	c.identity(path, e, &entry)
	c.timestamp(path, e)
	c.properties(path, e["properties"])
	return entry
}

// text is an optional string member.
func (c *checker) text(path string, e map[string]json.RawMessage, name string, limit int) (string, bool) {
	raw, there := e[name]
	if !there {
		return "", false
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || raw[0] != '"' {
		c.fault(name, "%s.%s is not a string", path, name)
	}
	if vendortest.Length(s) > limit {
		c.fault(name, "%s.%s is longer than %d characters", path, name, limit)
	}
	return s, true
}

// identity: exactly one of identity and user_id.
func (c *checker) identity(path string, e map[string]json.RawMessage, entry *vendortest.Entry) {
	identity, hasIdentity := c.text(path, e, "identity", 255)
	user, hasUser := c.text(path, e, "user_id", 16)
	if hasIdentity == hasUser {
		c.fault("identity", "%s has both or neither of identity and user_id", path)
	}
	if hasIdentity && strings.TrimSpace(identity) == "" {
		c.fault("identity", "%s.identity is empty", path)
	}
	if n, err := strconv.ParseUint(user, 10, 64); hasUser && (err != nil || n > 1<<53-1) {
		c.fault("user_id", "%s.user_id is not a whole number below 2^53", path)
	}
	entry.User, entry.Device = identity, user
}

func (c *checker) timestamp(path string, e map[string]json.RawMessage) {
	s, there := c.text(path, e, "timestamp", 64)
	if _, err := time.Parse(time.RFC3339Nano, s); there && err != nil {
		c.fault("timestamp", "%s.timestamp is not ISO 8601", path)
	}
}

// properties: flat, keys and values below 1024 characters, strings and numbers.
func (c *checker) properties(path string, raw json.RawMessage) {
	if raw == nil {
		return
	}
	var properties map[string]any
	if vendortest.Decode(raw, &properties) != nil || properties == nil {
		c.fault("properties", "%s.properties is not an object", path)
		return
	}
	for name, value := range properties {
		if name == "" || vendortest.Length(name) >= 1024 {
			c.fault("property key", "%s has a key that is empty or has 1024 characters or more", path)
		}
		switch v := value.(type) {
		case string:
			if vendortest.Length(v) >= 1024 {
				c.fault("property value", "%s.%.40s has 1024 characters or more", path, name)
			}
		case json.Number:
			if len(v) >= 1024 {
				c.fault("property value", "%s.%.40s has 1024 digits or more", path, name)
			}
		default:
			c.fault("property type", "%s.%.40s is neither a string nor a number", path, name)
		}
	}
}
