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
