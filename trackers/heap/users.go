package heap

import (
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

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
