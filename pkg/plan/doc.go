// Package plan is the tracking plan: which events and which of their properties
// may be sent, of which types, to which trackers, with which consent and under
// which names. What the plan does not name is not sent.
//
// A plan is a YAML file (its JSON Schema is api/plan.schema.json):
//
//	version: 3                        # yours, optional
//	defaults:
//	  consent: [analytics]            # for events that say nothing; default none
//	  trackers: [ga4, heap]           # for events that say nothing; default all
//	context:                          # what may be sent beside the properties; these are the defaults
//	  page: true                      # URL, path, referrer, title; always sanitised
//	  screen: true
//	  locale: true
//	  sessionId: true
//	  userAgent: true
//	  ip: false                       # the address, cut as the dispatcher is configured to
//	userProperties:
//	  tier: string
//	events:
//	  pageview:
//	    properties: { pathname: string }
//	  purchase product:
//	    description: The visitor bought something.
//	    trackers: [ga4, amplitude]    # [] keeps the event in the warehouse alone
//	    consent: [analytics]          # [] needs none
//	    names: { ga4: purchase }      # where a vendor has another name for it
//	    properties:
//	      category: string
//	      price: { type: number, description: In euros., required: true }
//	      size: { type: string, values: [S, M, L] }
//	      contact: { type: string, allow: [email] }   # kinds that the sanitizer does not remove
//	      items: { type: array, of: { type: object, properties: { id: string } } }
//
// The types are string, number, integer (a literal without fraction and
// exponent), boolean, timestamp (RFC 3339), object, array and any. An object
// with properties keeps those alone; one without keeps all its members.
//
// Every Plan was checked: Load and Parse return all that is wrong with a file, with
// its line and, for a mistyped word, the most similar known one. A Plan does not
// change and is safe for concurrent use.
package plan
