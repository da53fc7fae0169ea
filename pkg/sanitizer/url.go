package sanitizer

import (
	"slices"
	"strings"
)

// urls removes what URLs must not carry: credentials, fragments, and query
// parameters that are not on the allowlist.
func (s *Sanitizer) urls(text string, h Hint) (string, Kinds) {
	text, found := s.urlsIn(text, h)
	if !strings.Contains(text, "%3") || !containsFold(text, "%3a%2f%2f") {
		return text, found
	}
	// A URL within another, or one that is encoded whole: what it carries shows
	// once it is decoded.
	v := viewOf(text)
	clean, kinds := s.urlsIn(strings.ToValidUTF8(v.text, "\uFFFD"), h)
	if kinds == 0 {
		return text, found
	}
	return clean, found | kinds
}

func (s *Sanitizer) urlsIn(text string, h Hint) (string, Kinds) {
	if h.URL {
		return s.url(text, h)
	}
	if strings.IndexByte(text, '?') < 0 && strings.IndexByte(text, '/') < 0 && strings.IndexByte(text, '#') < 0 {
		return text, 0
	}
	var out []byte
	var found Kinds
	last := 0
	for i := 0; i < len(text); i++ {
		if c := text[i]; classes[c]&(slash|mark) == 0 || c == ';' || c == '&' {
			continue
		}
		start, end := i, i+1
		for start > last && !delimits(text[start-1]) {
			start--
		}
		for end < len(text) && !delimits(text[end]) {
			end++
		}
		if clean, kinds := s.url(text[start:end], h); kinds != 0 {
			out = append(append(out, text[last:start]...), clean...)
			last = end
			found |= kinds
		}
		i = end
	}
	if found == 0 {
		return text, 0
	}
	return string(append(out, text[last:]...)), found
}

func delimits(c byte) bool {
	return c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`'
}

// url cleans one word, if it is a URL: one with a scheme, one from the path on,
// or one that has a query.
func (s *Sanitizer) url(word string, h Hint) (string, Kinds) {
	var found Kinds
	authority := strings.Index(word, "://") + 3
	switch {
	case authority > 2:
	case strings.HasPrefix(word, "//"):
		authority = 2
	default:
		authority = 0
	}
	if clean, ok := withoutCredentials(word, authority); ok && h.Allow&Credentials == 0 {
		word, found = clean, Credentials
	}
	sure := h.URL || authority > 0 || strings.HasPrefix(word, "/")
	query, hash := queryAndFragment(word, authority, sure)
	if !sure && query < 0 && hash < 0 {
		return word, found
	}
	fragment := ""
	if hash >= 0 {
		word, fragment = word[:hash], word[hash:]
		if len(fragment) > 1 && h.Allow&Fragment == 0 {
			fragment = ""
			found |= Fragment
		}
	}
	if h.Allow&Query != 0 {
		return word + fragment, found
	}
	if query >= 0 {
		if kept, all := s.allowedQuery(word[query+1:]); !all {
			word = strings.TrimSuffix(word[:query+1]+kept, word[query:query+1])
			found |= Query
		}
	}
	if clean, ok := s.withoutPathParameters(word, query, sure); ok {
		word = clean
		found |= Query
	}
	return word + fragment, found
}

// queryAndFragment are where a word's query and fragment begin; -1 for none. A query
// may lack its ?, a fragment be percent-encoded, if parameters follow. What is not
// surely a URL has a query or fragment only if parameters follow.
func queryAndFragment(word string, authority int, sure bool) (query, hash int) {
	hash = strings.IndexByte(word, '#')
	if hash < 0 && sure {
		if n := strings.Index(word, "%23"); n >= 0 && (strings.IndexByte(word[n:], '=') > 0 || strings.HasPrefix(word[n+3:], "/")) {
			hash = n
		}
	}
	query = strings.IndexByte(word, '?')
	if hash >= 0 && query > hash {
		query = -1
	}
	if sure && query < 0 {
		if n := strings.IndexByte(word[authority:], '&'); n >= 0 && namesParameter(word[authority+n+1:]) && (hash < 0 || authority+n < hash) {
			query = authority + n
		}
	}
	if !sure && query >= 0 && !namesParameter(word[query+1:]) {
		query = -1
	}
	if !sure && query < 0 && hash >= 0 && !namesParameter(word[hash+1:]) {
		hash = -1
	}
	return query, hash
}

// withoutPathParameters removes ;name=value from the path of a URL.
func (s *Sanitizer) withoutPathParameters(word string, query int, sure bool) (string, bool) {
	path, rest := word, ""
	if query >= 0 && query < len(word) {
		path, rest = word[:query], word[query:]
	}
	if !sure || strings.IndexByte(path, ';') < 0 {
		return "", false
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, parameters, ok := strings.Cut(segment, ";"); ok && namesParameter(parameters) {
			if kept, all := s.allowedQuery(parameters); !all {
				segments[i] = strings.TrimSuffix(name+";"+kept, ";")
			}
		}
	}
	clean := strings.Join(segments, "/") + rest
	return clean, clean != word
}

// withoutCredentials removes what is before an @ in the authority of a URL.
func withoutCredentials(word string, authority int) (string, bool) {
	if authority == 0 {
		return "", false
	}
	end := len(word)
	if n := strings.IndexAny(word[authority:], "/?#"); n >= 0 {
		end = authority + n
	}
	n := strings.LastIndexByte(word[authority:end], '@')
	if user, port, ok := strings.Cut(word[authority:end], ":"); n < 0 && ok && user != "" && user[0] != '[' && strings.Trim(port, "0123456789") != "" {
		n = strings.IndexByte(word[authority:], '@') // the password has a slash of its own
	}
	if n < 0 {
		return "", false
	}
	return word[:authority] + word[authority+n+1:], true
}

// namesParameter reports that a text begins with a name and an equals sign.
func namesParameter(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '=' {
			return i > 0
		} else if !isTokenByte(c) && strings.IndexByte(".[]%", c) < 0 {
			return false
		}
	}
	return false
}

// allowedQuery is a query without the parameters that must not leave; all says that
// every parameter stays.
func (s *Sanitizer) allowedQuery(query string) (kept string, all bool) {
	all = true
	var list []string
	for rest := query; rest != ""; {
		n := strings.IndexAny(rest, "&;")
		parameter := rest
		if n >= 0 {
			parameter, rest = rest[:n], rest[n+1:]
		} else {
			rest = ""
		}
		name, value, _ := strings.Cut(parameter, "=")
		switch {
		case name == "" && parameter == "":
		case s.allows(name) && s.allowsValue(value):
			list = append(list, parameter)
		default:
			all = false
		}
	}
	if all {
		return query, true
	}
	return strings.Join(list, "&"), false
}

// allowsValue reports that the value of an allowed parameter does not hold another
// parameter, which is not: utm_content=token%3D...
func (s *Sanitizer) allowsValue(value string) bool {
	if strings.IndexByte(value, '%') < 0 && strings.IndexByte(value, '=') < 0 && !escaped(value) {
		return true
	}
	v := viewOf(value)
	for piece := range strings.FieldsFuncSeq(v.text, func(c rune) bool { return strings.ContainsRune("&;?#,| ", c) }) {
		if name, value, ok := strings.Cut(piece, "="); ok && strings.Trim(value, "=") != "" && !s.allows(name) {
			return false
		}
	}
	return true
}

func (s *Sanitizer) allows(parameter string) bool {
	parameter = strings.ToLower(parameter)
	return s.parameters[parameter] || slices.ContainsFunc(s.prefixes, func(prefix string) bool { return strings.HasPrefix(parameter, prefix) })
}

// containsFold reports whether s contains lower, which has no upper-case letters,
// in any letter case of ASCII.
func containsFold(s, lower string) bool {
	for i := 0; i+len(lower) <= len(s); i++ {
		if s[i] == lower[0] && strings.EqualFold(s[i:i+len(lower)], lower) {
			return true
		}
	}
	return false
}
