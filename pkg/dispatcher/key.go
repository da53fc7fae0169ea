package dispatcher

import (
	"net/url"
	"strings"
)

// requestKey is the write key that a request's header gives: the query's, or else
// the bearer token, or the user name where the dialect has that.
func requestKey(x *exchange) string {
	if key := queryKey(x); key != "" {
		return key
	}
	const scheme = "bearer "
	value := first(x.r.Header["Authorization"])
	if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		return strings.TrimSpace(value[len(scheme):])
	}
	if !x.dialect.foreign {
		return ""
	}
	user, _, _ := x.r.BasicAuth()
	return user
}

// queryKey is the write key in a request's query.
func queryKey(x *exchange) string {
	if key := parameter(x.r.URL.RawQuery, "key"); key != "" || !x.dialect.foreign {
		return key
	}
	return parameter(x.r.URL.RawQuery, "writeKey")
}

// writeKey is the key that stands in a body: beside the batch, or in its first
// message.
func (b *batch) writeKey() string {
	if b.key != "" || len(b.elements) == 0 {
		return b.key
	}
	return b.elements[0].key
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
