package heaptest_test

import (
	"slices"
	"strings"
)

// rule is one rule that Heap states, where, and a request that breaks it. What a
// row leaves out is sound.
type rule struct {
	name, place, body                 string
	method, path, contentType, accept string
	code                              int // 0 is 400
}

// Where Heap states its rules: pages of its reference (developers.heap.io/reference)
// with their parameter or section, and the checks of its Node SDK (npm heap-api).
const (
	trackBody     = "track-1: body"
	trackWho      = "track-1: identity, user_id"
	trackProps    = "track-1: properties"
	trackTime     = "track-1: timestamp"
	bulkBody      = "bulk-track: body"
	usersBody     = "add-user-properties: body"
	usersKeys     = "add-user-properties: properties, reserved keys"
	identifyBody  = "identify-1: body"
	headers       = "track-1: headers"
	sdkProperties = "heap-api: validations of properties"
	object        = "RFC 8259, section 4: names within an object should be unique"
)

const (
	told  = "/api/add_user_properties"
	bound = "/api/v1/identify"
)

func rules() []rule {
	return slices.Concat(headerRules(), eventRules(), propertyRules(), userRules(), identifyRules())
}

// headerRules are about the headers and the body around the events.
func headerRules() []rule {
	sound := bulk(`{"event":"a",` + who + `}`)
	one := `{"event":"a",` + who + `}`
	return []rule{
		{name: "GET", place: headers, body: sound, method: "GET", code: 405},
		{name: "the partners' path", place: "track-1: endpoint", body: sound, path: "/api/integrations/track", code: 404},
		{name: "another content type", place: headers, body: sound, contentType: "text/plain"},
		{name: "another answer wanted", place: headers, body: sound, accept: "text/html"},
		{name: "not JSON", place: trackBody, body: `{"app_id":`},
		{name: "two values", place: trackBody, body: sound + "{}"},
		{name: "no app_id", place: trackBody, body: `{"events":[` + one + `]}`},
		{name: "app_id a number", place: trackBody, body: `{"app_id":1,"events":[` + one + `]}`},
		{name: "app_id of letters", place: trackBody, body: `{"app_id":"main","events":[` + one + `]}`},
		{name: "unknown top member", place: bulkBody, body: `{"app_id":"1","api_key":"x","events":[` + one + `]}`},
		{name: "events an object", place: bulkBody, body: `{"app_id":"1","events":{}}`},
		{name: "no events", place: bulkBody, body: bulk()},
		{name: "1001 events", place: bulkBody, body: bulk(strings.Split(strings.Repeat(one+"|", 1001), "|")[:1001]...)},
		{name: "a bad event among good", place: bulkBody, body: bulk(one, `{"event":"",`+who+`}`)},
	}
}

func eventRules() []rule {
	over := strings.Repeat("x", 1025)
	of := func(members string) string { return bulk(`{"event":"a",` + members + `}`) }
	return []rule{
		{name: "no event name", place: trackBody, body: bulk(`{` + who + `}`)},
		{name: "event name a number", place: trackBody, body: bulk(`{"event":1,` + who + `}`)},
		{name: "event name too long", place: trackBody, body: bulk(`{"event":"` + over + `",` + who + `}`)},
		{name: "unknown member", place: trackBody, body: of(`"ip":"203.0.113.1",` + who)},
		{name: "key not a string", place: trackBody, body: of(`"idempotency_key":1,` + who)},
		{name: "session_id a number", place: trackBody, body: of(`"session_id":7,` + who)},
		{name: "nobody", place: trackWho, body: `{"app_id":"1","event":"a"}`},
		{name: "identity and user_id", place: trackWho, body: of(`"identity":"u","user_id":"1"`)},
		{name: "identity empty", place: trackWho, body: of(`"identity":""`)},
		{name: "identity blank", place: trackWho, body: of(`"identity":" "`)},
		{name: "identity a number", place: trackWho, body: of(`"identity":7`)},
		{name: "identity too long", place: trackWho, body: of(`"identity":"` + strings.Repeat("u", 256) + `"`)},
		{name: "user_id no number", place: trackWho, body: of(`"user_id":"9f1c2f64"`)},
		{name: "user_id below 0", place: trackWho, body: of(`"user_id":"-1"`)},
		{name: "user_id above 2^53-1", place: trackWho, body: of(`"user_id":"9007199254740992"`)},
		{name: "user_id not in a string", place: trackWho, body: of(`"user_id":7`)},
		{name: "timestamp no ISO 8601", place: trackTime, body: of(`"timestamp":"yesterday",` + who)},
		{name: "timestamp without offset", place: trackTime, body: of(`"timestamp":"2026-11-20T09:15:02.417",` + who)},
		{name: "timestamp a number", place: trackTime, body: of(`"timestamp":1795166102417,` + who)},
	}
}

func propertyRules() []rule {
	long := strings.Repeat("x", 1024)
	with := func(properties string) string {
		return bulk(`{"event":"a","properties":` + properties + `,` + who + `}`)
	}
	return []rule{
		{name: "properties an array", place: trackProps, body: with(`[]`)},
		{name: "property a boolean", place: sdkProperties, body: with(`{"p":true}`)},
		{name: "property null", place: sdkProperties, body: with(`{"p":null}`)},
		{name: "property an object", place: trackProps, body: with(`{"p":{}}`)},
		{name: "property an array", place: sdkProperties, body: with(`{"p":[]}`)},
		{name: "property key too long", place: trackProps, body: with(`{"` + long + `":1}`)},
		{name: "property key empty", place: trackProps, body: with(`{"":1}`)},
		{name: "property too long", place: trackProps, body: with(`{"p":"` + long + `"}`)},
		{name: "property twice", place: object, body: with(`{"p":1,"p":1}`)},
		{name: "property of too many digits", place: trackProps, body: with(`{"p":` + strings.Repeat("9", 1024) + `}`)},
	}
}

func userRules() []rule {
	const user = `{"identity":"u","properties":{"plan":"pro"}}`
	users := func(list ...string) string { return `{"app_id":"1","users":[` + strings.Join(list, ",") + `]}` }
	instead := func(from, to string) string { return users(strings.Replace(user, from, to, 1)) }
	list := []rule{
		{name: "users: another content type", place: usersBody, body: users(user), contentType: "text/plain"},
		{name: "users: not JSON", place: usersBody, body: "{"},
		{name: "users: no app_id", place: usersBody, body: `{"users":[` + user + `]}`},
		{name: "no users", place: usersBody, body: users()},
		{name: "1001 users", place: usersBody, body: users(strings.Split(strings.Repeat(user+"|", 1001), "|")[:1001]...)},
		{name: "properties of nobody", place: usersBody, body: users(`{"properties":{"plan":"pro"}}`)},
		{name: "properties of a visitor", place: usersBody, body: instead(`"identity"`, `"user_id":"1","identity"`)},
		{name: "user's identity too long", place: usersBody, body: instead(`"u"`, `"`+strings.Repeat("u", 256)+`"`)},
		{name: "user without properties", place: usersBody, body: users(`{"identity":"u","properties":{}}`)},
		{name: "user property a boolean", place: sdkProperties, body: instead(`"pro"`, "true")},
		{name: "user property twice", place: object, body: instead(`"plan"`, `"plan":1,"plan"`)},
		{name: "user property too long", place: usersBody, body: instead("pro", strings.Repeat("x", 1024))},
		{name: "user property key too long", place: usersBody, body: instead("plan", strings.Repeat("x", 1024))},
	}
	for _, key := range []string{"id", "ID", "Id", "user_id", "identity", "Email", "EMAIL"} {
		list = append(list, rule{name: "user property " + key, place: usersKeys, body: instead("plan", key)})
	}
	for i := range list {
		list[i].path = told
	}
	return list
}

func identifyRules() []rule {
	list := []rule{
		{name: "identify without a number", place: identifyBody, body: `{"app_id":"1","identity":"u"}`},
		{name: "identify above 2^53", place: identifyBody, body: `{"app_id":"1","identity":"u","user_id":"9007199254740992"}`},
		{name: "identify nobody", place: identifyBody, body: `{"app_id":"1","user_id":"1"}`},
		{name: "identify too long", place: identifyBody, body: `{"app_id":"1","user_id":"1","identity":"` + strings.Repeat("u", 256) + `"}`},
		{name: "identify with properties", place: identifyBody, body: `{"app_id":"1","identity":"u","user_id":"1","properties":{}}`},
	}
	for i := range list {
		list[i].path = bound
	}
	return list
}
