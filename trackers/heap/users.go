package heap

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// identity is whose event it is: exactly one of Heap's two ways to say so.
type identity struct {
	member string // "identity" or "user_id"
	value  string
}

// identify finds whose event it is, or says why it cannot be sent.
func (t *translator) identify(ev *event.Event) (identity, tracker.Rejection) {
	user := strings.TrimSpace(ev.UserID)
	switch {
	case tracker.Length(user) > maxIdentity:
		return identity{}, tracker.Rejection{Reason: "userId: longer than 255 characters"}
	case user != "":
		return identity{"identity", user}, tracker.Rejection{}
	case t.visitor(ev) != "":
		return identity{"user_id", t.visitor(ev)}, tracker.Rejection{}
	case t.config.Anonymous == anonymousSkip:
		return identity{}, tracker.Rejection{Reason: "anonymous", Skip: true}
	case strings.TrimSpace(ev.DeviceID) == "":
		return identity{}, tracker.Rejection{Reason: "deviceId: required for an anonymous event"}
	}
	return identity{"user_id", numericID(ev.DeviceID)}, tracker.Rejection{}
}

// identityOf is whose event it is, as Heap counts its rate.
func (t *translator) identityOf(ev *event.Event) string {
	who, refused := t.identify(ev)
	if refused.Reason != "" {
		return ""
	}
	return who.member + ":" + who.value
}

// visitor is the number that Heap's browser SDK gave the visitor, or "" where the
// event does not name one.
func (t *translator) visitor(ev *event.Event) string {
	if t.config.HeapUserID == "" {
		return ""
	}
	v, ok := ev.Lookup(t.config.HeapUserID)
	if !ok || v.Kind != event.String && v.Kind != event.Number {
		return ""
	}
	n, err := strconv.ParseUint(v.Text, 10, 64)
	if err != nil || n > maxUserID {
		return ""
	}
	return strconv.FormatUint(n, 10) // a visitor has one number, however many zeros lead it
}

// numericID derives a whole number below 2^53 from a device id, the same for
// ever: the first 53 bits of its SHA-256.
func numericID(device string) string {
	sum := sha256.Sum256([]byte(device))
	return strconv.FormatUint(binary.BigEndian.Uint64(sum[:8])>>11, 10)
}

// userProperties is the bulk call that tells Heap the properties of the users of
// a request's events, or nil. Of each user it tells what his last event says: a
// property replaces the one before, so repeating the call changes nothing.
func (t *translator) userProperties(batch []event.Event, events []int) *tracker.Request {
	last := map[string]int{}
	var users []string // in the order of their first event
	for _, i := range events {
		who, _ := t.identify(&batch[i])
		if who.member != "identity" || len(batch[i].UserProperties) == 0 {
			continue
		}
		if _, known := last[who.value]; !known {
			users = append(users, who.value)
		}
		last[who.value] = i
	}
	body := append([]byte(nil), `{"app_id":"`+t.config.AppID+`","users":[`...)
	sent := 0
	for _, user := range users {
		one := appendUser(nil, user, batch[last[user]].UserProperties)
		if one == nil || len(body)+len(one)+3 > maxBytes {
			continue // nothing that Heap takes, or more than a call should hold
		}
		if sent++; sent > 1 {
			body = append(body, ',')
		}
		body = append(body, one...)
	}
	if sent == 0 {
		return nil
	}
	req := t.request(t.base+propertiesPath, append([]int(nil), events...), append(body, "]}"...))
	return &req
}

// appendUser writes one element of the users array, or returns nil when none of
// the properties is one that Heap takes.
func appendUser(b []byte, user string, properties []event.Property) []byte {
	flat := flattener().Append(nil, properties)
	b = tracker.AppendMember(append(b, '{'), "identity", user)
	b = append(b, `,"properties":{`...)
	empty := len(b)
	if b = appendFlat(b, flat, userPropertyName); len(b) == empty {
		return nil
	}
	return append(b, "}}"...)
}

// userPropertyName is Heap's name for a user property; "" means that it has none
// and is left out.
func userPropertyName(name string) string {
	switch {
	case strings.EqualFold(name, "id"), name == "user_id", name == "identity":
		return ""
	case strings.EqualFold(name, "email"):
		return "email"
	}
	return tracker.Truncate(name, maxProperty)
}

// introduce is an event's own request after the call that binds its user to the
// visitor that Heap's browser SDK knows.
func (t *translator) introduce(index int, encoded []byte, user, visitor string) tracker.Request {
	req := t.request(t.url, []int{index}, append(append([]byte(t.head), encoded...), "]}"...))
	b := tracker.AppendMember([]byte{'{'}, "app_id", t.config.AppID)
	b = tracker.AppendMember(tracker.AppendMember(b, "identity", user), "user_id", visitor)
	first := t.request(t.base+identifyPath, []int{index}, append(b, '}'))
	req.Before = &first
	return req
}
