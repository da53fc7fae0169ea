package dispatcher

import (
	"net/url"
	"strings"
)

// requestKey is the write key outside of the body: in the query, else the bearer
// token, else the user name of Basic authentication for foreign clients.
func requestKey(q *intakeRequest) string {
	if key := queryKey(q); key != "" {
		return key
	}
	const scheme = "bearer "
	value := firstValue(q.r.Header["Authorization"])
	if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		return strings.TrimSpace(value[len(scheme):])
	}
	if !q.dialect.foreign {
		return ""
	}
	user, _, _ := q.r.BasicAuth()
	return user
}

// queryKey is the write key in a request's query.
func queryKey(q *intakeRequest) string {
	if key := parameter(q.r.URL.RawQuery, "key"); key != "" || !q.dialect.foreign {
		return key
	}
	return parameter(q.r.URL.RawQuery, "writeKey")
}

// writeKey is the key in a body: beside the batch, or in its first message.
func (b *batch) writeKey() string {
	if b.key != "" || len(b.elements) == 0 {
		return b.key
	}
	return b.elements[0].WriteKey
}

// parameter finds one parameter of a query without building a map of all of them.
func parameter(query, name string) string {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		given, value, _ := strings.Cut(pair, "=")
		if given != name {
			continue
		}
		if text, err := url.QueryUnescape(value); err == nil {
			return text
		}
		return ""
	}
	return ""
}
