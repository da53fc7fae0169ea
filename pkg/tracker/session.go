package tracker

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The times that can be the start of a session: from September 2001, before which
// seconds had fewer digits, to the year 2100.
const (
	firstSession = 1_000_000_000
	lastSession  = 4_102_444_800
)

// googleCookie is the value of Google's cookie _ga_<stream>: GS1.1.1747075570.3.1...,
// or GS2.1.s1747075570$o3$g1...
var googleCookie = regexp.MustCompile(`^GS[12]\.\d+\.s?(\d{10})(?:[.$]|$)`)

// uuidv7 is RFC 9562's UUID version 7, which begins with milliseconds since 1970.
var uuidv7 = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$`)

// SessionStart is when a session began, as its id says: vendors name a session by
// its start. Ids are those of Sparrow's SDK (UUIDv7), seconds or milliseconds since
// 1970, Google's cookie, and RFC 3339 times. ok is false for any other id.
func SessionStart(id string) (start time.Time, ok bool) {
	switch {
	case uuidv7.MatchString(id):
		var b [8]byte
		_, _ = hex.Decode(b[2:], []byte(id[:8]+id[9:13])) // the pattern has looked
		ms := int64(0)
		for _, octet := range b {
			ms = ms<<8 | int64(octet)
		}
		start = time.UnixMilli(ms)
	case strings.HasPrefix(id, "GS"):
		m := googleCookie.FindStringSubmatch(id)
		if m == nil {
			return time.Time{}, false
		}
		start, _ = number(m[1])
	case len(id) > len("2006-01-02T"):
		if t, err := time.Parse(time.RFC3339Nano, id); err == nil {
			start = t
			break
		}
		fallthrough
	default:
		start, _ = number(id)
	}
	seconds := start.Unix()
	return start.UTC(), seconds >= firstSession && seconds < lastSession
}

// number reads seconds, or milliseconds where seconds would be beyond lastSession.
func number(id string) (time.Time, bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	switch {
	case err != nil || strconv.FormatInt(n, 10) != id: // +7 and 007 are no numbers
		return time.Time{}, false
	case n < lastSession:
		return time.Unix(n, 0), true
	}
	return time.UnixMilli(n), true
}
