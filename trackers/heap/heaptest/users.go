package heaptest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// userCall serves a call that sets properties or identities of users.
func (s *Server) userCall(check func(*checker, map[string]json.RawMessage, []byte) []vendortest.Entry) http.Handler {
	return vendortest.Body(func(w http.ResponseWriter, r *http.Request, body []byte) {
		var c checker
		c.checkHeaders(r)
		var top map[string]json.RawMessage
		var entries []vendortest.Entry
		if vendortest.Decode(body, &top) != nil {
			c.fault("json", "the body is not a JSON object")
		} else {
			c.app(top)
			c.repeated(body)
			entries = check(&c, top, body)
		}
		if len(c.violations) > 0 {
			s.Violations.Add(c.violations...)
			http.Error(w, "Bad request", http.StatusBadRequest)
			return
		}
		if s.rates != nil && !s.rates.allowUserCall(r.URL.Path, entries) {
			http.Error(w, "Too many requests", http.StatusTooManyRequests)
			return
		}
		s.Violations.Add(s.bindings.add(entries)...)
		s.Users.Add(entries...)
		vendortest.ReplyJSON(w, http.StatusOK, struct{}{})
	})
}

// checkUsers: one user, or at most 1,000 in users.
func checkUsers(c *checker, top map[string]json.RawMessage, body []byte) []vendortest.Entry {
	list := []json.RawMessage{body}
	if raw, bulk := top["users"]; bulk {
		c.onlyMembers("", top, "app_id", "users")
		if json.Unmarshal(raw, &list) != nil || len(list) < 1 || len(list) > 1000 {
			c.fault("users", "want an array of 1 to 1000 users")
			return nil
		}
	}
	var entries []vendortest.Entry
	for i, raw := range list {
		path := fmt.Sprintf("users[%d]", i)
		var user map[string]json.RawMessage
		if vendortest.Decode(raw, &user) != nil {
			c.fault("users", "%s is not an object", path)
			continue
		}
		c.onlyMembers(path, user, "app_id", "identity", "properties")
		identity, _ := c.text(path, user, "identity", 255)
		if identity == "" {
			c.fault("identity", "%s.identity is required", path)
		}
		c.properties(path, user["properties"])
		c.userKeys(path, user["properties"])
		entries = append(entries, vendortest.Entry{User: identity, Data: raw})
	}
	return entries
}

// userKeys: id in any case and user_id are Heap's own; e-mail addresses go under
// email, in small letters.
func (c *checker) userKeys(path string, raw json.RawMessage) {
	var properties map[string]json.RawMessage
	if json.Unmarshal(raw, &properties) != nil || len(properties) == 0 {
		c.fault("properties", "%s.properties is required", path)
	}
	for name := range properties {
		if strings.EqualFold(name, "id") || slices.Contains([]string{"user_id", "identity"}, name) || strings.EqualFold(name, "email") && name != "email" {
			c.fault("user property key", "%s.%s is forbidden", path, name)
		}
	}
}

// checkIdentify: an identity and the number of Heap's browser SDK.
func checkIdentify(c *checker, top map[string]json.RawMessage, _ []byte) []vendortest.Entry {
	c.onlyMembers("", top, "app_id", "identity", "user_id")
	identity, _ := c.text("", top, "identity", 255)
	user, _ := c.text("", top, "user_id", 16)
	if identity == "" {
		c.fault("identity", "required")
	}
	if n, err := strconv.ParseUint(user, 10, 64); err != nil || n > 1<<53-1 {
		c.fault("user_id", "not a whole number below 2^53")
	}
	return []vendortest.Entry{{User: identity, Device: user}}
}
