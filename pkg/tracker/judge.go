package tracker

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// MaxRetryAfter is the longest wait a Retry-After header is believed, so that
// one absurd answer cannot silence a tracker; a vendor that means longer says so
// again when it is asked again.
const MaxRetryAfter = time.Hour

// JudgeStatus is the default reading of an answer, by its status alone:
//
//	2xx                          Deliver
//	3xx                          Wait, alarm: the endpoint is not where the configuration says
//	401, 402, 403, 407           Wait, alarm: credentials or account are wrong
//	404, 405, 410, 415           Wait, alarm: the endpoint is wrong
//	408, 425, 5xx, 1xx, unknown  Wait
//	413                          Halve; alone: Reject
//	429                          Wait
//	other 4xx                    Halve; alone: Reject
//
// A Wait keeps a Retry-After. Without a complete answer, the event was not
// taken if the body was not written to its end; if it was, only a vendor that
// drops repeats (dedup) may be sent it again, for others it is Uncertain.
func JudgeStatus(req Request, resp Response, dedup bool) []Verdict {
	return Same(len(req.Events), judge(len(req.Events), resp, dedup))
}

// Same is one verdict for each of n events.
func Same(n int, v Verdict) []Verdict {
	verdicts := make([]Verdict, n)
	for i := range verdicts {
		verdicts[i] = v
	}
	return verdicts
}

func judge(n int, resp Response, dedup bool) Verdict {
	switch {
	case resp.Reach == NotConnected:
		return Verdict{Action: Wait, Reason: "no connection"}
	case resp.Reach == NotWritten:
		return Verdict{Action: Wait, Reason: "connection lost before the request was written"}
	case resp.Reach != Answered && dedup:
		return Verdict{Action: Wait, Reason: "no answer"}
	case resp.Reach != Answered:
		return Verdict{Action: Uncertain, Reason: "sent, no answer"}
	}
	return judgeStatus(n, resp)
}

func judgeStatus(n int, resp Response) Verdict {
	status, reason := resp.Status, StatusReason(resp.Status)
	switch {
	case status >= 200 && status < 300:
		return Verdict{Action: Deliver}
	case status >= 300 && status < 400:
		return Verdict{Action: Wait, Reason: reason + ": redirects are not followed; check baseURL", After: RetryAfter(resp), Alarm: true}
	case status == http.StatusPaymentRequired:
		return Verdict{Action: Wait, Reason: reason + ": check the account", After: RetryAfter(resp), Alarm: true}
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		return Verdict{Action: Wait, Reason: reason + ": check the credentials", After: RetryAfter(resp), Alarm: true}
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusGone, status == http.StatusUnsupportedMediaType:
		return Verdict{Action: Wait, Reason: reason + ": check the endpoint", After: RetryAfter(resp), Alarm: true}
	case status < 200, status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return Verdict{Action: Wait, Reason: reason, After: RetryAfter(resp)}
	case n > 1:
		return Verdict{Action: Halve, Reason: reason}
	default:
		return Verdict{Action: Reject, Reason: reason}
	}
}

// StatusReason names a status for people: "http 429 Too Many Requests".
func StatusReason(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("http %d %s", status, text)
	}
	return "http " + strconv.Itoa(status)
}

// RetryAfter is how long an answer asks to wait, from its Retry-After header in
// seconds or as a date (counted from when the answer was received), at most
// MaxRetryAfter; 0 when it does not say, or nothing sensible.
func RetryAfter(resp Response) time.Duration {
	value := resp.Header.Get("Retry-After")
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		seconds = min(seconds, int64(MaxRetryAfter/time.Second))
		return time.Duration(max(seconds, 0)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil || resp.Received.IsZero() {
		return 0
	}
	return min(max(at.Sub(resp.Received), 0), MaxRetryAfter)
}
