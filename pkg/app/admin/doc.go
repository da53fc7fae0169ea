// Package admin is how the commands talk to a running gateway: JSON over HTTP
// on a unix socket in the data directory (mode 0600, so that only the gateway's
// own user can open it). No route of this package is ever mounted on the public
// listener.
//
//	POST   /query             {"sql","maxRows"}       → Table
//	GET    /events/{id}       ?request=true           → []trail.Trail
//	GET    /tail              ?source=&event=         → a TailEvent a line, as they are accepted
//	GET    /reconcile         ?since=RFC3339          → Table
//	GET    /verify            ?since=RFC3339          → Verification
//	GET    /uncounted         ?since=RFC3339          → []UncountedDay
//	POST   /uncounted         {"day"}                 → UncountedDay
//	GET    /trackers                                  → []TrackerStatus
//	DELETE /trackers/{name}                           → Removal
//	POST   /views             {"drop"}                → ViewChange
//
// An error is answered as {"error": "..."} with a status of 400 (the request is
// at fault), 404 or 500.
package admin
