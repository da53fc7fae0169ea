package sanitizer

import "strings"

// shape is a well-known kind of API key: its first characters, and the least number
// of characters of its alphabet that follow.
type shape struct {
	prefix string
	least  int
	upper  bool // upper-case letters and digits alone
}

// shapes are the keys that their first characters identify.
var shapes = []shape{
	{"AKIA", 16, true}, {"ASIA", 16, true}, {"ABIA", 16, true}, {"ACCA", 16, true}, // AWS
	{"ghp_", 20, false}, {"gho_", 20, false}, {"ghu_", 20, false}, {"ghs_", 20, false}, {"ghr_", 20, false}, {"github_pat_", 20, false},
	{"glpat-", 16, false}, {"gldt-", 16, false}, {"glrt-", 16, false}, // GitLab
	{"sk_live_", 10, false}, {"sk_test_", 10, false}, {"rk_live_", 10, false}, {"rk_test_", 10, false}, {"whsec_", 16, false}, // Stripe
	{"AIza", 30, false}, {"ya29.", 20, false}, {"GOCSPX-", 20, false}, // Google
	{"xoxb-", 10, false}, {"xoxp-", 10, false}, {"xoxa-", 10, false}, {"xoxr-", 10, false}, {"xoxs-", 10, false}, {"xoxe-", 10, false}, {"xapp-", 10, false}, // Slack
	{"sk-ant-", 16, false}, {"sk-proj-", 16, false}, {"sk-svcacct-", 16, false}, {"sk-", 32, false}, // Anthropic, OpenAI
	{"npm_", 30, false}, {"pypi-AgEI", 16, false}, {"rubygems_", 30, false}, {"dckr_pat_", 16, false},
	{"dop_v1_", 30, false}, {"doo_v1_", 30, false}, {"dor_v1_", 30, false}, // DigitalOcean
	{"SG.", 30, false}, {"key-", 32, false}, // SendGrid, Mailgun
	{"shpat_", 30, false}, {"shpss_", 30, false}, {"shpca_", 30, false}, // Shopify
	{"hf_", 30, false}, {"hvs.", 20, false}, {"hvb.", 20, false}, {"glsa_", 20, false}, {"lin_api_", 20, false}, {"figd_", 20, false},
	{"sntrys_", 20, false}, {"sntryu_", 20, false}, {"NRAK-", 20, false}, {"sq0atp-", 16, false}, {"sq0csp-", 16, false},
	{"EAACEdEose0cBA", 10, false}, {"ATATT3", 30, false}, {"phx_", 30, false}, {"r8_", 30, false}, {"gsk_", 30, false}, {"sbp_", 30, false},
	{"AGE-SECRET-KEY-1", 30, true}, {"PMAK-", 30, false}, {"ops_eyJ", 30, false}, {"tfp_", 30, false},
}

// shapeStarts marks the first two characters of all shapes.
var shapeStarts = func() (starts [1 << 14]bool) {
	for _, s := range shapes {
		starts[pair(s.prefix)] = true
	}
	return starts
}()

// pair is the index of a text's first two characters, ASCII.
func pair(s string) int { return int(s[0]&0x7f)<<7 | int(s[1]&0x7f) }

// key reads an API key of a well-known shape.
func (sc *scanner) key(i int) (span, bool) {
	rest := sc.text[i:]
	if len(rest) < minSecret || !shapeStarts[pair(rest)] {
		return span{}, false
	}
	for k := range shapes {
		s := &shapes[k]
		if !strings.HasPrefix(rest, s.prefix) {
			continue
		}
		end := i + len(s.prefix)
		for end < len(sc.text) && s.has(sc.text[end]) {
			end++
		}
		if end-i-len(s.prefix) >= s.least && (!s.upper || sc.endsAt(end)) {
			return span{Key, i, end}, true
		}
	}
	return span{}, false
}

func (s *shape) has(c byte) bool {
	if s.upper {
		return isDigit(c) || 'A' <= c && c <= 'Z'
	}
	return isTokenByte(c) || c == '.' && strings.HasSuffix(s.prefix, ".")
}

// isTokenByte reports the alphabet of base64 for URLs.
func isTokenByte(c byte) bool { return isWord(c) || c == '-' || c == '_' }

// jwt reads a JSON web token: base64 of {" and two to four more parts.
func (sc *scanner) jwt(i int) (span, bool) {
	if !strings.HasPrefix(sc.text[i:], "eyJ") || i > 0 && isTokenByte(sc.text[i-1]) {
		return span{}, false
	}
	end, parts := i, 0
	for parts < 5 {
		begin := end
		for end < len(sc.text) && isTokenByte(sc.text[end]) {
			end++
		}
		if end-begin < 5 && parts < 2 {
			return span{}, false
		}
		parts++
		if end >= len(sc.text) || sc.text[end] != '.' || parts == 5 {
			break
		}
		end++
	}
	if parts < 2 {
		return span{}, false
	}
	return span{JWT, i, end}, true
}

// token reads the credentials of an Authorization header.
func (sc *scanner) token(i int) (span, bool) {
	rest := sc.text[i:]
	n := 0
	for _, scheme := range [...]string{"bearer ", "basic "} {
		if len(rest) > len(scheme) && strings.EqualFold(rest[:len(scheme)], scheme) {
			n = len(scheme)
		}
	}
	if n == 0 {
		return span{}, false
	}
	n += blanks(rest[n:])
	begin, telling := n, false
	for n < len(rest) && (isTokenByte(rest[n]) || strings.IndexByte(".~+/=", rest[n]) >= 0) {
		telling = telling || isDigit(rest[n]) || rest[n] == '='
		n++
	}
	if n-begin < 12 || !telling && n-begin < 40 {
		return span{}, false
	}
	return span{Token, i, i + n}, true
}

const pemBegin, pemEnd = "-----BEGIN ", "-----END "

// privateKey reads a PEM block at i with a private key, or what is left
// of one.
func (sc *scanner) privateKey(i int) (span, bool) {
	const longestLabel = 64
	rest := sc.text[i:]
	if !strings.HasPrefix(rest, pemBegin) || !strings.Contains(rest[:min(len(rest), len(pemBegin)+longestLabel)], "PRIVATE KEY") {
		return span{}, false
	}
	end := strings.Index(rest, pemEnd)
	if end < 0 {
		return span{PrivateKey, i, len(sc.text)}, true
	}
	closing := strings.Index(rest[end+len(pemEnd):], "-----")
	if closing < 0 {
		return span{PrivateKey, i, len(sc.text)}, true
	}
	return span{PrivateKey, i, i + end + len(pemEnd) + closing + 5}, true
}
