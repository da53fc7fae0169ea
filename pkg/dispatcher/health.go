package dispatcher

import (
	"net/http"
	"time"
)

var (
	valueAllowGet = []string{"GET, HEAD"}
	bodyOK        = []byte(`{"status":"ok"}` + "\n")
)

// serveHealth says that the process answers, also while draining.
func (d *Dispatcher) serveHealth(w http.ResponseWriter, r *http.Request) {
	if d.probe(w, r) {
		writeJSON(w, http.StatusOK, bodyOK)
	}
}

// serveReady says whether events are accepted: not draining, and the log can
// append. The reason why not goes to the operator's log, never to the public.
func (d *Dispatcher) serveReady(w http.ResponseWriter, r *http.Request) {
	if !d.probe(w, r) {
		return
	}
	if d.draining.Load() {
		writeRefusal(w, retryLater(http.StatusServiceUnavailable, reasonDraining, "shutting down", time.Second))
		return
	}
	err := d.log.Ready(r.Context())
	if err != nil {
		if !d.unready.Swap(true) {
			d.logger.Warn("intake is not ready", "err", err)
		}
		writeRefusal(w, retryLater(http.StatusServiceUnavailable, reasonLog, "events cannot be stored now", time.Second))
		return
	}
	if d.unready.Swap(false) {
		d.logger.Info("intake is ready again")
	}
	writeJSON(w, http.StatusOK, bodyOK)
}

// probe prepares the answer to a health check; it answers other methods itself.
func (d *Dispatcher) probe(w http.ResponseWriter, r *http.Request) bool {
	setCommon(w.Header(), requestID(r, time.Now()))
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header()["Allow"] = valueAllowGet
	writeRefusal(w, refuse(http.StatusMethodNotAllowed, reasonMethod, "ask with GET"))
	return false
}
