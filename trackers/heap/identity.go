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
	case t.config.Anonymous == anonymousSkip:
		return identity{}, tracker.Rejection{Reason: "anonymous", Skip: true}
	case ev.DeviceID == "":
		return identity{}, tracker.Rejection{Reason: "deviceId: required for an anonymous event"}
	}
	return identity{"user_id", numericID(ev.DeviceID)}, tracker.Rejection{}
}

// numericID derives a whole number below 2^53 from a device id, the same for
// ever: the first 53 bits of its SHA-256.
func numericID(device string) string {
	sum := sha256.Sum256([]byte(device))
	return strconv.FormatUint(binary.BigEndian.Uint64(sum[:8])>>11, 10)
}
