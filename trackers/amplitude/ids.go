package amplitude

import (
	"strconv"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const maxID = 1024

// usableID is an id that Amplitude takes, or "": one of the words it refuses
// would cost the whole request.
func usableID(id string) string {
	id = strings.TrimSpace(id)
	if len(id) <= len(zeroUUID) && forbidden(strings.ToLower(id)) || tracker.Length(id) > maxID {
		return ""
	}
	return id
}

const zeroUUID = "00000000-0000-0000-0000-000000000000"

func forbidden(id string) bool {
	switch id {
	case "", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "{}", "lmy47d", "0", "-1",
		zeroUUID, "00000000000000000000000000000000":
		return true
	}
	return false
}

// The times that can be the start of a session, in seconds since 1970: from
// September 2001, before which they had fewer digits, to the year 2100.
const (
	firstSession = 1_000_000_000
	lastSession  = 4_102_444_800
)

// sessionID is the start of a session in milliseconds, as Amplitude wants it: an
// id that is such a number, or one in seconds. Any other is no session to
// Amplitude: -1.
func sessionID(id string) string {
	n, err := strconv.ParseInt(id, 10, 64)
	switch {
	case err != nil || strconv.FormatInt(n, 10) != id: // +7 and 007 are no numbers in JSON
		return "-1"
	case n >= firstSession && n < lastSession:
		return id + "000"
	case n >= firstSession*1000 && n < lastSession*1000:
		return id
	}
	return "-1"
}
