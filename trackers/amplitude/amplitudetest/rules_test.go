package amplitudetest_test

import (
	"fmt"
	"slices"
	"strings"
)

// Where Amplitude states its rules: pages of its documentation
// (amplitude/amplitude-docs, content/collections/api/en) with their section, the
// Identify API page of its developer centre, and the validation of its SDKs.
const (
	uploadBody    = "http-v2: upload request body parameters"
	eventKeys     = "http-v2: keys for the event argument"
	uploadLimits  = "http-v2: upload limit"
	idLengths     = "http-v2: device IDs and user IDs minimum length"
	badIDs        = "http-v2: invalid device IDs and user IDs"
	stringLimit   = "http-v2: string character limit"
	depthLimit    = "http-v2: event and user properties, nesting"
	specialEvents = "analytics-types: special event types"
	batchKeys     = "batch-event-upload: keys for the event argument"
	batchLimits   = "batch-event-upload: batch event sizes and limits"
	operationsDoc = "identify: user_properties operations"
	groupsDoc     = "http-v2: keys for the event argument, groups"
	maxKeysDoc    = "analytics-types: MAX_PROPERTY_KEYS"
)

// fieldRule is a rule about one event: it stands second in its request, and the
// answer names its index in a list, under a field.
type fieldRule struct {
	name, place, event string
	list, field        string // "" is events_with_invalid_fields
	path               string // "" is /2/httpapi
}

const missing = "events_with_missing_fields"

func fieldRules() []fieldRule {
	return slices.Concat(typeRules(), idRules(), valueRules(), identifyRules())
}

func typeRules() []fieldRule {
	named := func(name string) string { return `{"device_id":"device","event_type":"` + name + `"}` }
	rules := []fieldRule{
		{name: "no event_type", place: eventKeys, event: `{"device_id":"device"}`, list: missing, field: "event_type"},
		{name: "event_type empty", place: eventKeys, event: named(""), field: "event_type"},
		{name: "event_type too long", place: stringLimit, event: named(long()), field: "event_type"},
		{name: "event_type a number", place: eventKeys, event: `{"device_id":"device","event_type":7}`, field: "event_type"},
	}
	for _, name := range []string{"Start Session", "End Session", "Revenue", "Revenue (Verified)", "Revenue (Unverified)", "Merged User"} {
		rules = append(rules, fieldRule{name: "event_type " + name, place: specialEvents, event: named("[Amplitude] " + name), field: "event_type"})
	}
	return rules
}

func idRules() []fieldRule {
	rules := []fieldRule{
		{name: "no id", place: eventKeys, event: `{"event_type":"a"}`, list: missing, field: "device_id"},
		{name: "user a number", place: eventKeys, event: event(`"user_id":42`), field: "user_id"},
		{name: "user too long", place: stringLimit, event: event(`"user_id":"` + long() + `"`), field: "user_id"},
		{name: "insert_id not a string", place: eventKeys, event: event(`"insert_id":1`), field: "insert_id"},
	}
	for _, word := range []string{
		"anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "00000000-0000-0000-0000-000000000000", "{}",
		"lmy47d", "0", "-1", "Anonymous", " NULL ",
	} {
		rules = append(rules,
			fieldRule{name: "user " + word, place: badIDs, event: event(`"user_id":"` + word + `"`), field: "user_id"},
			fieldRule{name: "device " + word, place: badIDs, event: `{"user_id":"user-1","event_type":"a","device_id":"` + word + `"}`, field: "device_id"})
	}
	return append(rules, fieldRule{name: "user empty", place: badIDs, event: event(`"user_id":""`), field: "user_id"})
}

func valueRules() []fieldRule {
	var keys strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&keys, `%q:1,`, fmt.Sprint("k", i))
	}
	many := `{` + keys.String() + `"last":1}`
	group := func(members string) string { return event(`"groups":{` + members + `}`) }
	return []fieldRule{
		{name: "time ISO 8601", place: eventKeys, event: event(`"time":"2026-11-20T09:15:02Z"`), field: "time"},
		{name: "time in seconds", place: eventKeys, event: event(`"time":179516610`), field: "time"},
		{name: "time in microseconds", place: eventKeys, event: event(`"time":1795166102417000`), field: "time"},
		{name: "time a fraction", place: eventKeys, event: event(`"time":1795166102417.5`), field: "time"},
		{name: "session_id a string", place: eventKeys, event: event(`"session_id":"1795165800000"`), field: "session_id"},
		{name: "session_id in seconds", place: eventKeys, event: event(`"session_id":17951658`), field: "session_id"},
		{name: "session_id a UUID", place: eventKeys, event: event(`"session_id":"0f6c3b9e-5d0a-4f0e-9a53-8f6b1c2d7e41"`), field: "session_id"},
		{name: "property too long", place: stringLimit, event: event(`"event_properties":{"p":["` + long() + `"]}`), field: "event_properties"},
		{name: "user property too long", place: stringLimit, event: event(`"user_properties":{"p":"` + long() + `"}`), field: "user_properties"},
		{name: "properties too deep", place: depthLimit, event: event(`"event_properties":` + nested(41)), field: "event_properties"},
		{name: "user properties too deep", place: depthLimit, event: event(`"user_properties":` + nested(41)), field: "user_properties"},
		{name: "too many keys", place: maxKeysDoc, event: event(`"event_properties":` + many), field: "event_properties"},
		{name: "too many user keys", place: maxKeysDoc, event: event(`"user_properties":` + many), field: "user_properties"},
		{name: "properties an array", place: eventKeys, event: event(`"event_properties":[]`), field: "event_properties"},
		{name: "revenue a string", place: eventKeys, event: event(`"revenue":"19.90"`), field: "revenue"},
		{name: "quantity a fraction", place: eventKeys, event: event(`"quantity":1.5`), field: "quantity"},
		{name: "price and quantity beside revenue", place: eventKeys, event: event(`"revenue":1,"price":2,"quantity":3`), field: "revenue"},
		{name: "the sender's own address", place: eventKeys, event: event(`"ip":"$remote"`), field: "ip"},
		{name: "language empty", place: eventKeys, event: event(`"language":""`), field: "language"},
		{name: "unknown field", place: eventKeys, event: event(`"screen":"1440x900"`), field: "screen"},
		{name: "user_agent in a batch", place: batchKeys, event: event(`"user_agent":"curl/8.5.0"`), field: "user_agent", path: "/batch"},
		{name: "six types of group", place: groupsDoc, event: group(`"a":"1","b":"1","c":"1","d":"1","e":"1","f":"1"`), field: "groups"},
		{name: "eleven groups", place: groupsDoc, event: group(`"a":["1","2","3","4","5","6","7","8","9","10","11"]`), field: "groups"},
	}
}

func identifyRules() []fieldRule {
	identify := func(more string) string { return `{"device_id":"device","event_type":"$identify"` + more + `}` }
	groupIdentify := func(more string) string { return `{"device_id":"device","event_type":"$groupidentify"` + more + `}` }
	return []fieldRule{
		{name: "$identify without properties", place: operationsDoc, event: identify(""), field: "user_properties"},
		{name: "$identify without an operation", place: operationsDoc, event: identify(`,"user_properties":{"plan":"pro"}`), field: "user_properties"},
		{name: "$identify with an unknown operation", place: operationsDoc, event: identify(`,"user_properties":{"$toggle":{"plan":1}}`), field: "user_properties"},
		{name: "an operation on nothing", place: operationsDoc, event: identify(`,"user_properties":{"$set":"pro"}`), field: "user_properties"},
		{name: "an operation in another event", place: operationsDoc, event: event(`"user_properties":{"$set":{"plan":"pro"}}`), field: "user_properties"},
		{name: "$groupidentify of no group", place: operationsDoc, event: groupIdentify(`,"group_properties":{"$set":{"a":1}}`), field: "groups"},
		{name: "$groupidentify of nothing", place: operationsDoc, event: groupIdentify(`,"groups":{"org":"acme"}`), field: "group_properties"},
		{name: "skipping the profile by a word", place: eventKeys, event: event(`"$skip_user_properties_sync":"yes"`), field: "$skip_user_properties_sync"},
	}
}

// requestRule is a rule about a whole request, and how the answer says so.
type requestRule struct {
	name, place, body         string
	method, path, contentType string
	code                      int
	text                      string
}

func requestRules() []requestRule {
	events := func(n int) string { return upload(strings.Split(strings.Repeat(sound+"|", n), "|")[:n]...) }
	const refused, large = "Request missing required field", "Payload too large"
	return []requestRule{
		{name: "path", place: "http-v2: endpoints", path: "/3/httpapi", body: upload(sound), code: 400, text: "Invalid request path"},
		{name: "GET", place: "http-v2: upload request", method: "GET", body: upload(sound), code: 400, text: "Invalid request path"},
		{name: "empty", place: uploadBody, code: 400, text: "Missing request body"},
		{name: "not JSON", place: uploadBody, body: `{"api_key":`, code: 400, text: "Invalid JSON request body"},
		{name: "a name twice", place: "RFC 8259, section 4: names within an object should be unique", body: upload(event(`"event_properties":{"p":1,"p":1}`)), code: 400, text: "Invalid JSON request body"},
		{name: "content type", place: "http-v2: upload request, headers", contentType: "text/plain", body: upload(sound), code: 400, text: "Invalid JSON request body"},
		{name: "no key", place: uploadBody, body: `{"events":[` + sound + `]}`, code: 400, text: refused},
		{name: "wrong key", place: uploadBody, body: strings.Replace(upload(sound), `"k"`, `"other"`, 1), code: 400, text: "Invalid API key"},
		{name: "no events", place: uploadBody, body: upload(), code: 400, text: refused},
		{name: "2000 events", place: uploadLimits, body: events(2000), code: 413, text: large},
		{name: "2001 events in a batch", place: batchLimits, path: "/batch", body: events(2001), code: 413, text: large},
		{name: "a megabyte", place: uploadLimits, body: upload(event(`"x":"` + strings.Repeat("x", 1_000_000) + `"`)), code: 413, text: large},
		{name: "20 MB in a batch", place: batchLimits, path: "/batch", body: upload(event(`"x":"` + strings.Repeat("x", 20_000_000) + `"`)), code: 413, text: large},
		{name: "id below 5 characters", place: idLengths, body: `{"api_key":"k","events":[{"user_id":"four","event_type":"a"}]}`, code: 400, text: "Invalid field values on some events"},
		{name: "id below the length asked for", place: idLengths, body: `{"api_key":"k","events":[{"user_id":"seven77","event_type":"a"}],"options":{"min_id_length":8}}`, code: 400, text: "Invalid field values on some events"},
	}
}
