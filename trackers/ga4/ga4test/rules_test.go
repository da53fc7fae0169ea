package ga4test_test

import (
	"slices"
	"strings"
)

// rule is one rule that Google states, where it states it, and a request that
// breaks it and no other. What a row leaves out is sound.
type rule struct {
	name, place, body                string
	method, path, query, contentType string
}

// Where Google states its rules: pages of the Measurement Protocol guide
// (developers.google.com/analytics/devguides/collection/protocol/ga4) with their
// section, and the validator of its Event Builder (googleanalytics/ga-dev-tools,
// src/components/ga4/EventBuilder/ValidateEvent).
const (
	transport   = "reference: transport"
	queryParams = "reference: query parameters"
	postBody    = "reference: JSON post body"
	consentBody = "reference: JSON post body, consent"
	deviceBody  = "reference: JSON post body, device"
	placeBody   = "reference: JSON post body, user_location"
	userBody    = "reference: JSON post body, user_properties"
	reserved    = "reference: reserved names"
	limitations = "sending-events: limitations"
	reports     = "sending-events: recommended parameters for reports"
	validating  = "validating-events: validation behavior"
	codes       = "validating-events: validation codes, NAME_DUPLICATED"
	builder     = "Event Builder: schemas"
	doubles     = "protobuf.dev: ProtoJSON, a number out of range fails the whole message"
)

func rules() []rule {
	return slices.Concat(requestRules(), bodyRules(), userRules(), eventRules(), commerceRules(), reservedRules())
}

// requestRules are about a request's method, query, headers and size.
func requestRules() []rule {
	sound := body("", event("a", ""))
	return []rule{
		{name: "GET", place: transport, body: sound, method: "GET"},
		{name: "another content type", place: transport, body: sound, contentType: "text/plain"},
		{name: "no secret", place: queryParams, body: sound, query: "?measurement_id=G-1"},
		{name: "no measurement id", place: queryParams, body: sound, query: "?api_secret=s"},
		{name: "both kinds of id", place: queryParams, body: sound, query: query + "&firebase_app_id=1:2:web:3"},
		{name: "body of 130 kB", place: limitations, body: body(`,"user_agent":"`+strings.Repeat("x", 99_000)+`"`, long("a"), long("b"), long("c"))},
		{name: "validation behavior of an event that counts", place: validating, body: body(`,"validation_behavior":"RELAXED"`, event("a", ""))},
		{name: "unknown validation behavior", place: validating, body: body(`,"validation_behavior":"STRICT"`, event("a", "")), path: "/debug/mp/collect"},
	}
}

// long is an event of 15 kB and more.
func long(name string) string {
	return event(name, many(24, `,"p%d":"`+strings.Repeat("\\u0041", 100)+`"`))
}

// bodyRules are about what stands beside the events.
func bodyRules() []rule {
	one := event("a", "")
	with := func(head string) string { return body(head, one) }
	rules := []rule{
		{name: "not JSON", place: postBody, body: `{"client_id":`},
		{name: "two values", place: postBody, body: body("", one) + "{}"},
		{name: "unknown top-level key", place: builder, body: with(`,"validationBehavior":"RELAXED"`)},
		{name: "deprecated non_personalized_ads", place: consentBody, body: with(`,"non_personalized_ads":true`)},
		{name: "an app's id in a web stream", place: postBody, body: with(`,"app_instance_id":"` + strings.Repeat("0a", 16) + `"`)},
		{name: "client_id missing", place: postBody, body: strings.Replace(body("", one), `"client_id":"c.1",`, "", 1)},
		{name: "client_id empty", place: postBody, body: strings.Replace(body("", one), "c.1", "", 1)},
		{name: "client_id a number", place: postBody, body: strings.Replace(body("", one), `"c.1"`, "7", 1)},
		{name: "user_id empty", place: postBody, body: with(`,"user_id":""`)},
		{name: "user_id too long", place: limitations, body: with(`,"user_id":"` + strings.Repeat("u", 257) + `"`)},
		{name: "user_id a number", place: postBody, body: with(`,"user_id":7`)},
		{name: "user_agent a number", place: postBody, body: with(`,"user_agent":7`)},
		{name: "time beside the events no number", place: postBody, body: with(`,"timestamp_micros":"yesterday"`)},
		{name: "time beside the events too old", place: limitations, body: with(`,"timestamp_micros":"1794800000000000"`)},
		{name: "consent neither granted nor denied", place: consentBody, body: with(`,"consent":{"ad_user_data":"granted"}`)},
		{name: "consent of another kind", place: consentBody, body: with(`,"consent":{"analytics":"GRANTED"}`)},
		{name: "consent a boolean", place: consentBody, body: with(`,"consent":{"ad_user_data":true}`)},
		{name: "unknown key of device", place: deviceBody, body: with(`,"device":{"os":"x"}`)},
		{name: "device of numbers", place: deviceBody, body: with(`,"device":{"screen_resolution":1440}`)},
		{name: "unknown key of user_location", place: placeBody, body: with(`,"user_location":{"country":"GB"}`)},
		{name: "a country's name", place: placeBody, body: with(`,"user_location":{"country_id":"Britain"}`)},
		{name: "a region's name", place: placeBody, body: with(`,"user_location":{"region_id":"London"}`)},
		{name: "part of an address", place: postBody, body: with(`,"ip_override":"203.0.113"`)},
		{name: "user_data in the clear", place: "sending user-provided data: normalize and hash", body: with(`,"user_data":{"sha256_email_address":"jane"}`)},
		{name: "no events", place: postBody, body: body("")},
		{name: "events missing", place: postBody, body: `{"client_id":"c.1"}`},
		{name: "26 events", place: limitations, body: body("", strings.Split(strings.Repeat(one+"|", 26), "|")[:26]...)},
	}
	return rules
}

// userRules are about user properties.
func userRules() []rule {
	with := func(properties string) string { return body(`,"user_properties":{`+properties+`}`, event("a", "")) }
	return []rule{
		{name: "user property without its value", place: userBody, body: with(`"plan":{}`)},
		{name: "user property unwrapped", place: userBody, body: body(`,"user_properties":{"plan":"pro"}`, event("a", ""))},
		{name: "unknown key of a user property", place: userBody, body: with(`"plan":{"value":"pro","set":1}`)},
		{name: "time of a user property in milliseconds", place: userBody, body: with(`"plan":{"value":"pro","timestamp_micros":1795166102417}`)},
		{name: "user property an object", place: userBody, body: with(`"plan":{"value":{"a":1}}`)},
		{name: "user property a boolean", place: userBody, body: with(`"plan":{"value":true}`)},
		{name: "user property name too long", place: limitations, body: with(`"` + strings.Repeat("n", 25) + `":{"value":1}`)},
		{name: "user property name illegal", place: limitations, body: with(`"a-b":{"value":1}`)},
		{name: "user property value too long", place: limitations, body: with(`"n":{"value":"` + strings.Repeat("v", 37) + `"}`)},
		{name: "26 user properties", place: limitations, body: with(`"n":{"value":1}` + many(25, `,"n%d":{"value":1}`))},
	}
}

// eventRules are about any event.
func eventRules() []rule {
	one := func(name, params string) string { return body("", event(name, params)) }
	timed := func(micros string) string {
		return body("", `{"name":"a","params":{"engagement_time_msec":1},"timestamp_micros":`+micros+`}`)
	}
	over := func(n int) string { return strings.Repeat("t", n+1) }
	return []rule{
		{name: "event without a name", place: postBody, body: body("", `{"params":{"engagement_time_msec":1}}`)},
		{name: "unknown key in an event", place: postBody, body: body("", `{"name":"a","param":{}}`)},
		{name: "event name too long", place: limitations, body: one(strings.Repeat("n", 41), "")},
		{name: "event name illegal", place: limitations, body: one("campaign@details", "")},
		{name: "event name begins with a digit", place: limitations, body: one("1st", "")},
		{name: "26 params", place: limitations, body: one("a", many(25, `,"p%d":1`))},
		{name: "param name too long", place: limitations, body: one("a", `,"`+strings.Repeat("n", 41)+`":1`)},
		{name: "param name illegal", place: limitations, body: one("a", `,"a b":1`)},
		{name: "param name twice", place: codes, body: one("a", `,"p":1,"p":1`)},
		{name: "param beyond a double", place: doubles, body: one("a", `,"p":1e400`)},
		{name: "param a boolean", place: builder, body: one("a", `,"p":true`)},
		{name: "param null", place: builder, body: one("a", `,"p":null`)},
		{name: "param an array", place: builder, body: one("a", `,"p":[1]`)},
		{name: "param an object", place: builder, body: one("a", `,"p":{"a":1}`)},
		{name: "param empty", place: builder, body: one("a", `,"p":""`)},
		{name: "param too long", place: limitations, body: one("a", `,"p":"`+over(100)+`"`)},
		{name: "page_title too long", place: limitations, body: one("a", `,"page_title":"`+over(300)+`"`)},
		{name: "page_referrer too long", place: limitations, body: one("a", `,"page_referrer":"`+over(420)+`"`)},
		{name: "page_location too long", place: limitations, body: one("a", `,"page_location":"`+over(1000)+`"`)},
		{name: "session_id a boolean", place: reports, body: one("a", `,"session_id":true`)},
		{name: "no engagement time", place: reports, body: body("", `{"name":"a","params":{}}`)},
		{name: "engagement time of 0", place: reports, body: body("", `{"name":"a","params":{"engagement_time_msec":0}}`)},
		{name: "timestamp a fraction", place: postBody, body: timed("1795166102417000.5")},
		{name: "timestamp in milliseconds", place: postBody, body: timed("1795166102417")},
		{name: "timestamp older than 72 hours", place: limitations, body: timed("1794800000000000")},
		{name: "timestamp 16 minutes ahead", place: "rudder-transformer: ga4, timestamp", body: timed("1795176960000000")},
		{name: "value without currency", place: builder, body: one("a", `,"value":1`)},
		{name: "currency without value", place: builder, body: one("a", `,"currency":"EUR"`)},
		{name: "value a string", place: builder, body: one("a", `,"value":"1","currency":"EUR"`)},
		{name: "currency in small letters", place: builder, body: one("a", `,"value":1,"currency":"eur"`)},
		{name: "currency of four letters", place: builder, body: one("a", `,"value":1,"currency":"EURO"`)},
		{name: "items outside e-commerce", place: builder, body: one("a", `,"items":[{"item_id":"a"}]`)},
	}
}

// commerceRules are about the e-commerce events.
func commerceRules() []rule {
	sound := `"transaction_id":"T","value":1,"currency":"EUR","items":[{"item_id":"a"}]`
	purchase := func(from, to string) string {
		return body("", event("purchase", ","+strings.Replace(sound, from, to, 1)))
	}
	item := func(more string) string { return purchase(`{"item_id":"a"}`, `{"item_id":"a",`+more+`}`) }
	return []rule{
		{name: "purchase without transaction", place: builder, body: purchase(`"transaction_id":"T",`, "")},
		{name: "purchase without money", place: builder, body: purchase(`"value":1,"currency":"EUR",`, "")},
		{name: "purchase without items", place: builder, body: purchase(`,"items":[{"item_id":"a"}]`, "")},
		{name: "purchase with an empty list of items", place: builder, body: purchase(`{"item_id":"a"}`, "")},
		{name: "items of text", place: builder, body: purchase(`{"item_id":"a"}`, `"a"`)},
		{name: "item without an id or a name", place: builder, body: purchase(`{"item_id":"a"}`, `{"price":1}`)},
		{name: "item with an empty id", place: builder, body: purchase(`{"item_id":"a"}`, `{"item_id":""}`)},
		{name: "item price a string", place: builder, body: item(`"price":"$19"`)},
		{name: "item quantity a string", place: builder, body: item(`"quantity":"1"`)},
		{name: "item param a boolean", place: builder, body: item(`"gift":true`)},
		{name: "item param an object", place: builder, body: item(`"size":{"w":1}`)},
		{name: "item param too long", place: limitations, body: item(`"item_variant":"` + strings.Repeat("v", 101) + `"`)},
		{name: "item param name illegal", place: limitations, body: item(`"a b":1`)},
		{name: "item with 11 of its own", place: limitations, body: item(strings.TrimPrefix(many(11, `,"c%d":1`), ","))},
		{name: "201 items", place: "reference, events: purchase, items", body: purchase(`{"item_id":"a"}`, `{"item_id":"a"}`+many(200, `,{"item_id":"%d"}`))},
	}
}

// reservedRules is a rule for each name and prefix that Google keeps to itself.
func reservedRules() []rule {
	var rules []rule
	for _, name := range []string{
		"ad_activeview", "ad_click", "ad_exposure", "ad_impression", "ad_query", "adunit_exposure", "app_clear_data",
		"app_install", "app_update", "app_remove", "error", "first_open", "first_visit", "in_app_purchase",
		"notification_dismiss", "notification_foreground", "notification_open", "notification_receive", "os_update",
		"screen_view", "session_start", "user_engagement", "app_store_refund", "app_store_subscription_cancel",
		"app_store_subscription_convert", "app_store_subscription_renew",
	} {
		rules = append(rules, rule{name: "event " + name, place: reserved + " of events", body: body("", event(name, ""))})
	}
	for _, name := range []string{"first_open_time", "first_visit_time", "last_deep_link_referrer", "user_id", "first_open_after_install"} {
		rules = append(rules, rule{name: "user property " + name, place: reserved + " of user properties", body: user(name)})
	}
	for _, prefix := range []string{"_", "firebase_", "ga_", "google_", "gtag."} {
		rules = append(rules,
			rule{name: "event " + prefix, place: reserved + " of events", body: body("", event(prefix+"x", ""))},
			rule{name: "param " + prefix, place: reserved + " of parameters", body: body("", event("a", `,"`+prefix+`x":1`))},
			rule{name: "user property " + prefix, place: reserved + " of user properties", body: user(prefix + "x")},
		)
	}
	return append(rules, rule{name: "param firebase_conversion", place: reserved + " of parameters", body: body("", event("a", `,"firebase_conversion":1`))})
}

func user(name string) string {
	return body(`,"user_properties":{"`+name+`":{"value":1}}`, event("a", ""))
}
