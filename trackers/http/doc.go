// Package http is the tracker without code: a URL, headers and a program in jq
// (github.com/itchyny/gojq) turn events into the requests of any vendor that
// takes JSON over HTTP, or of a webhook.
//
//	trackers:
//	  - kind: http
//	    name: collector
//	    url: https://collector.example.com/v1/import?strict=1
//	    secretHeaders: { Authorization: "Bearer ${COLLECTOR_TOKEN}" }
//	    event: |
//	      if .userId == null then error("anonymous") else . end
//	      | { type: .event, user: .userId, at: .timestampMs, id: .eventId, data: .properties }
//	    batch: { maxEvents: 500, maxBytes: 1MiB, envelope: "{ source: \"sparrow\", events: . }" }
//	    dedup: true
//	    answers:
//	      - { status: [400], when: ".failed", events: ".failed[].index", verdict: rejected, others: delivered }
//
// # The event that a program is given
//
// What plan and sanitizer left of the event, as JSON. A member that the event
// does not have is absent, so jq reads it as null:
//
//	event        string   the plan's name for this tracker
//	eventId      string   the same over every retry and replay
//	receipt      string   Sparrow's own name for the record
//	deviceId     string
//	userId       string   absent for an anonymous event
//	timestamp    string   when it happened, RFC 3339 in UTC with milliseconds
//	timestampMs  number   the same in milliseconds since 1970
//	receivedAt   string   when Sparrow received it, as timestamp
//	receivedAtMs number
//	properties   object   always there, perhaps empty
//	userProperties object always there, perhaps empty
//	context      object   always there: page {url, path, referrer, title},
//	                      screen {width, height}, locale, sessionId, userAgent,
//	                      ip, consent {purpose: boolean}
//
// Numbers that a program only passes on keep the digits that the client wrote
// (12345678901234567890, 1.10); arithmetic on whole numbers is exact.
//
// # Programs
//
// The event program gives exactly one value: the vendor's event. No value
// (`empty`) leaves the event out: its outcome is filtered. An error rejects it;
// error("text") gives the reason, as long as the text stands in the program as it is:
// texts made from values would put personal data into reasons. The names under
// `secrets` are variables: $token. Beside jq's own functions there are
//
//	sha256   the SHA-256 of a string, as 64 hexadecimal digits
//	uuid     a string that is a UUID, as it is in lower case; any other as a UUID
//	         (version 8) derived from its SHA-256
//
// A program is a pure function: now, localtime, strflocaltime, input, env, debug,
// halt and imports are refused. It may take 200,000 steps and its value may not be
// larger than a request. It is compiled when the gateway starts; errors name line
// and column. Programs are the operator's own: a bound on steps does not keep one
// from building huge values on purpose.
//
// The envelope is a program too, and makes the body of a batch: `.` stands for the
// array of the vendor's events and must be placed once. It is evaluated once, at
// start, so it cannot read an event. That is why the exact size of a body is known
// while it is packed.
// Without `batch` a request is one event's value.
//
// # Answers
//
// The first rule of `answers` that matches decides, by status and by a condition
// on the answer's JSON (null when it is none); $status is a variable. Without one,
// the status decides as for every tracker (tracker.JudgeStatus): 2xx is delivered,
// 4xx halves a batch until the event at fault is alone, 401, 403 and 404 wait and
// raise an alarm, 429 and 5xx wait. Only complete answers are looked at: a request
// without one is sent again, or, unless `dedup` says that the vendor drops repeats,
// its events are uncertain.
//
// # Signing
//
// `hmac` puts the HMAC-SHA-256 of the body into a header. With `timestamp` the
// signed text is the time, a dot and the body, and the time goes into that header:
// the newest event's receipt in seconds since 1970, because a request is the same
// at each attempt. A receiver that refuses old times must take those that waited.
//
// Rate, burst and concurrency are the lane's own keys.
package http
