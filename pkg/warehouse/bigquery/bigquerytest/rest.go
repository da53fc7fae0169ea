package bigquerytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/grpc/codes"
)

// restError is an error as the REST API gives it: "Error messages".
type restError struct {
	status          int
	reason, message string
	retryAfter      time.Duration
}

func restRefuse(status int, reason, format string, args ...any) *restError {
	return &restError{status: status, reason: reason, message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *restError {
	return restRefuse(http.StatusBadRequest, "invalid", format, args...)
}

func notFound(format string, args ...any) *restError {
	return restRefuse(http.StatusNotFound, "notFound", format, args...)
}

// maxBody bounds the body of a REST request.
const maxBody = 10 << 20

// restCall is one call of the REST API.
type restCall struct {
	*Server
	r     *http.Request
	body  []byte
	table string // id of the table that it is about
}

// routes are the paths of the REST API and of the token endpoint.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	const project = "/bigquery/v2/projects/{project}"
	const dataset = project + "/datasets/{dataset}"
	for pattern, call := range map[string]struct {
		method Method
		work   func(*restCall) (any, *restError)
	}{
		"POST " + project + "/datasets":         {DatasetsInsert, (*restCall).insertDataset},
		"GET " + dataset:                        {DatasetsGet, (*restCall).getDataset},
		"GET " + dataset + "/tables":            {TablesList, (*restCall).listTables},
		"POST " + dataset + "/tables":           {TablesInsert, (*restCall).insertTable},
		"GET " + dataset + "/tables/{table}":    {TablesGet, (*restCall).getTable},
		"PATCH " + dataset + "/tables/{table}":  {TablesPatch, (*restCall).patchTable},
		"DELETE " + dataset + "/tables/{table}": {TablesDelete, (*restCall).deleteTable},
		"POST " + project + "/queries":          {JobsQuery, (*restCall).query},
		"GET " + project + "/queries/{job}":     {JobsResults, (*restCall).results},
	} {
		mux.HandleFunc(pattern, s.handle(call.method, call.work))
	}
	mux.HandleFunc("/token", s.handleToken)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, notFound("Not found: %s %s is not part of this server", r.Method, r.URL.Path))
	})
	return mux
}

// handle authorizes a call, lets an ordered fault have its way, and answers.
func (s *Server) handle(m Method, work func(*restCall) (any, *restError)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			writeError(w, restRefuse(http.StatusRequestEntityTooLarge, "invalid", "The request cannot be read."))
			return
		}
		call := &restCall{Server: s, r: r, body: body, table: r.PathValue("table")}
		if m == TablesInsert {
			var named bq.Table
			if json.Unmarshal(body, &named) == nil && named.TableReference != nil {
				call.table = named.TableReference.TableId
			}
		}
		answer, refused := s.answer(call, m, work)
		if r.Context().Err() != nil {
			return
		}
		if refused != nil {
			s.counters.call(m, codes.Code(refused.status))
			writeError(w, refused)
			return
		}
		s.counters.call(m, codes.OK)
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		writeJSON(w, http.StatusOK, answer)
	}
}

// answer carries out a call, unless a fault is in its place.
func (s *Server) answer(call *restCall, m Method, work func(*restCall) (any, *restError)) (any, *restError) {
	token, found := strings.CutPrefix(call.r.Header.Get("Authorization"), "Bearer ")
	if !s.config.Anonymous && (!found || !s.tokens.good(token)) {
		return nil, restUnauthenticated()
	}
	order := s.faults.hit(m, call.table)
	if order != nil {
		if refused := s.insteadREST(call, order, m); refused != nil {
			return nil, refused
		}
	}
	if project := call.r.PathValue("project"); project != s.config.Project {
		return nil, notFound("Not found: Project %s", project)
	}
	answer, refused := work(call)
	if refused != nil || order == nil {
		return answer, refused
	}
	if order.fault.Kind == Slow {
		s.pause(call.r.Context(), order.fault.Delay)
		return answer, nil
	}
	s.httpGate.reset(call.r.RemoteAddr)
	return nil, restRefuse(http.StatusServiceUnavailable, "backendError", "The connection was reset.")
}

// insteadREST is what a fault does in place of a call; nil when the call is to
// be carried out.
func (s *Server) insteadREST(call *restCall, order *Order, m Method) *restError {
	f := &order.fault
	switch f.Kind {
	case QuotaExceeded:
		return restRefuse(http.StatusForbidden, "quotaExceeded", "Quota exceeded: Your project exceeded quota for %s requests.", m)
	case RateLimited:
		refused := restRefuse(http.StatusTooManyRequests, "rateLimitExceeded", "Exceeded rate limits: too many requests for %s.", m)
		refused.retryAfter = f.Delay
		return refused
	case PermissionDenied:
		return restRefuse(http.StatusForbidden, "accessDenied", "Access Denied: Project %[2]s: Permission %[1]s denied on project %[2]s (or it may not exist).", m.permission(), s.config.Project)
	case Unavailable:
		return restRefuse(http.StatusServiceUnavailable, "backendError", "Error encountered during execution. Retrying may solve the problem.")
	case InternalError:
		return restRefuse(http.StatusInternalServerError, "internalError", "An internal error occurred and the request could not be completed.")
	case Unauthenticated:
		return restUnauthenticated()
	case Reset:
		s.httpGate.reset(call.r.RemoteAddr)
		return restRefuse(http.StatusServiceUnavailable, "backendError", "The connection was reset.")
	case Hang:
		s.hang(call.r.Context(), order)
		return restRefuse(http.StatusServiceUnavailable, "backendError", "Error encountered during execution. Retrying may solve the problem.")
	default:
		return nil
	}
}

// handleToken serves the token endpoint, where only the general faults have a
// meaning.
func (s *Server) handleToken(w http.ResponseWriter, r *http.Request) {
	order := s.faults.hit(Token, "")
	if order != nil {
		if refused := s.insteadREST(&restCall{Server: s, r: r}, order, Token); refused != nil {
			s.counters.call(Token, codes.Code(refused.status))
			writeJSON(w, refused.status, map[string]string{"error": refused.reason, "error_description": refused.message})
			return
		}
		s.pause(r.Context(), order.fault.Delay)
	}
	s.counters.call(Token, codes.OK)
	s.serveToken(w, r)
}

func restUnauthenticated() *restError {
	return restRefuse(http.StatusUnauthorized, "authError", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.")
}

// statuses are the names that go with HTTP statuses.
var statuses = map[int]string{
	http.StatusBadRequest: "INVALID_ARGUMENT", http.StatusUnauthorized: "UNAUTHENTICATED", http.StatusForbidden: "PERMISSION_DENIED",
	http.StatusNotFound: "NOT_FOUND", http.StatusConflict: "ALREADY_EXISTS", http.StatusPreconditionFailed: "FAILED_PRECONDITION",
	http.StatusTooManyRequests: "RESOURCE_EXHAUSTED", http.StatusInternalServerError: "INTERNAL", http.StatusServiceUnavailable: "UNAVAILABLE",
}

func writeError(w http.ResponseWriter, refused *restError) {
	if refused.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((refused.retryAfter+time.Second-1)/time.Second)))
	}
	writeJSON(w, refused.status, map[string]any{"error": map[string]any{
		"code": refused.status, "message": refused.message, "status": statuses[refused.status],
		"errors": []map[string]string{{"message": refused.message, "domain": "global", "reason": refused.reason}},
	}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		http.Error(w, "encode answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that is gone is not our trouble
}
