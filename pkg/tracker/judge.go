package tracker

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// MaxRetryAfter bounds the wait of a Retry-After header, so that one absurd
// response cannot silence a tracker. A vendor that needs longer sends the header
// again with the next response.
const MaxRetryAfter = time.Hour

// JudgeStatus is the default interpretation of a response, by its status alone:
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
// A Wait keeps the Retry-After. Without a complete response: if the body was not
// written completely, the vendor cannot have taken the event, so it is sent again.
// If it was, the event is sent again only if the vendor drops repeats (dedup);
// otherwise it is Uncertain.
func JudgeStatus(req Request, resp Response, dedup bool) []Verdict {
	return Same(len(req.Events), judge(len(req.Events), resp, dedup))
}

// Same returns the same verdict for each of n events.
func Same(n int, v Verdict) []Verdict { return slices.Repeat([]Verdict{v}, n) }

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
	alarm := func(hint string) Verdict {
		return Verdict{Action: Wait, Reason: reason + ": " + hint, After: RetryAfter(resp), Alarm: true}
	}
	switch status {
	case http.StatusPaymentRequired:
		return alarm("check the account")
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return alarm("check the credentials")
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusUnsupportedMediaType:
		return alarm("check the endpoint")
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return Verdict{Action: Wait, Reason: reason, After: RetryAfter(resp)}
	}
	switch {
	case status < 200 || status >= 500:
		return Verdict{Action: Wait, Reason: reason, After: RetryAfter(resp)}
	case status < 300:
		return Verdict{Action: Deliver}
	case status < 400:
		return alarm("redirects are not followed; check baseURL")
	case n > 1:
		return Verdict{Action: Halve, Reason: reason}
	}
	return Verdict{Action: Reject, Reason: reason}
}

// StatusReason is a status in words: "http 429 Too Many Requests".
func StatusReason(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("http %d %s", status, text)
	}
	return "http " + strconv.Itoa(status)
}

// RetryAfter is how long a response asks to wait: its Retry-After header, in seconds
// or as a date (relative to Response.Received), at most MaxRetryAfter. It is 0 if
// there is no header, or an invalid one.
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
