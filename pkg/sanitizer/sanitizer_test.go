package sanitizer_test

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

const key = "a key of a test, of no use"

func build(t testing.TB, c sanitizer.Config) *sanitizer.Sanitizer {
	t.Helper()
	c.Key = key
	s, err := sanitizer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func lines(t testing.TB, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []string
	for in := bufio.NewScanner(f); in.Scan(); {
		list = append(list, in.Text())
	}
	if len(list) < 150 {
		t.Fatalf("%s: %d values, want at least 150", file, len(list))
	}
	return list
}

func TestOrdinaryValuesStay(t *testing.T) {
	s := build(t, sanitizer.Config{})
	for _, value := range lines(t, "testdata/stay.txt") {
		if got, found := s.Text(value, sanitizer.Hint{}); got != value || found != 0 {
			t.Errorf("%q became %q: %v", value, got, s.NamesOf(found))
		}
	}
}

func TestPersonalDataGoes(t *testing.T) {
	s := build(t, sanitizer.Config{})
	for _, line := range lines(t, "testdata/go.txt") {
		kind, value, _ := strings.Cut(line, "\t")
		got, found := s.Text(value, sanitizer.Hint{})
		if !slices.Contains(s.NamesOf(found), kind) {
			t.Errorf("%q: found %v, want %s; left %q", value, s.NamesOf(found), kind, got)
		}
		if again, more := s.Text(got, sanitizer.Hint{}); again != got || more != 0 {
			t.Errorf("%q became %q, and then %q", value, got, again)
		}
	}
}

// The keys are put together here, so that no scanner of repositories takes them for real.
func TestKeysGo(t *testing.T) {
	s := build(t, sanitizer.Config{})
	tail := strings.Repeat("aB3dE6gH", 5)
	for _, prefix := range []string{
		"ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "sk_live_", "sk_test_", "rk_live_", "whsec_", "AIza", "ya29.", "GOCSPX-", "xoxb-", "xoxp-", "xapp-",
		"sk-ant-", "sk-proj-", "sk-", "npm_", "pypi-AgEI", "dop_v1_", "SG.", "shpat_", "hf_", "hvs.", "glsa_", "key-", "dckr_pat_", "figd_", "sq0atp-",
	} {
		for _, value := range []string{prefix + tail, "key=" + prefix + tail, "it is " + prefix + tail + ", keep it"} {
			got, found := s.Text(value, sanitizer.Hint{})
			if found != sanitizer.Key || strings.Contains(got, tail[:10]) {
				t.Errorf("%q became %q: %v", value, got, s.NamesOf(found))
			}
		}
	}
	if got := s.String("AKIA" + strings.Repeat("Q7", 8)); got != "[key]" {
		t.Errorf("an AWS key became %q", got)
	}
}

func TestReplacements(t *testing.T) {
	s := build(t, sanitizer.Config{Parameters: []string{"page", "ab_*"}})
	for in, want := range map[string]string{
		"write to jane@example.com or +1 415 555 2671.":             "write to [email] or [phone].",
		"jane%40example.com%20wrote":                                "[email]%20wrote",
		"https://user:pw@example.com/a?utm_source=x&token=y&page=2": "https://example.com/a?utm_source=x&page=2",
		"https://example.com/a?token=y":                             "https://example.com/a",
		"https://example.com/a?ab_test=1&TOKEN=2#frag":              "https://example.com/a?ab_test=1",
		"/u/jane@example.com?x=1":                                   "/u/[email]",
		"see <https://example.com/?a=b> and 4111 1111 1111 1111!":   "see <https://example.com/> and [card]!",
		"a@b.co,c@d.org":                                            "[email],[email]",
	} {
		if got := s.String(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// TestParametersHiddenInURLs holds the places, besides a plain query, where URLs carry
// parameters and credentials.
func TestParametersHiddenInURLs(t *testing.T) {
	s := build(t, sanitizer.Config{})
	for in, want := range map[string]string{
		"https://example.com/cart;jsessionid=A1B2C3?utm_id=1": "https://example.com/cart?utm_id=1",
		"/a;v=1/b;sid=2":                                         "/a/b",
		"https://example.com/a&token=abc":                        "https://example.com/a",
		"https://example.com/a&utm_id=1&token=abc":               "https://example.com/a&utm_id=1",
		"https://example.com/a?utm_content=token%3Dabc&utm_id=1": "https://example.com/a?utm_id=1",
		"https://example.com/a?utm_content=x%26token%3Dabc":      "https://example.com/a",
		"https://example.com/a?gclid=EAIaIQobChMIabc%3D%3D":      "https://example.com/a?gclid=EAIaIQobChMIabc%3D%3D",
		"https://example.com/a%23access_token=abc":               "https://example.com/a",
		"https://example.com/%23/users/42":                       "https://example.com/",
		"/c%23-tutorial":                                         "/c%23-tutorial",
		"page.html#access_token=abc":                             "page.html",
		"see #state=abc":                                         "see ",
		"postgres://app:hun/ter2@db.internal/app":                "postgres://db.internal/app",
		"https://user:pa?ss#w@example.com/a":                     "https://example.com/a",
		"https://example.com:8080/@jane":                         "https://example.com:8080/@jane",
		"https://[::1]:8080/":                                    "https://[[ip]]:8080/",
		"AT&T=good; R&D":                                         "AT&T=good; R&D",
		"/a;b/c":                                                 "/a;b/c",
	} {
		if got := s.String(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestHints(t *testing.T) {
	s := build(t, sanitizer.Config{})
	for name, tc := range map[string]struct {
		in, want string
		hint     sanitizer.Hint
	}{
		"allowed kind stays":       {"jane@example.com 4111111111111111", "jane@example.com [card]", sanitizer.Hint{Allow: sanitizer.Email}},
		"allowed query stays":      {"/a?q=1", "/a?q=1", sanitizer.Hint{Allow: sanitizer.Query}},
		"version by its name":      {"1.2.3.4", "1.2.3.4", sanitizer.HintFor("appVersion", 0)},
		"address by its name":      {"1.2.3.4", "[ip]", sanitizer.HintFor("host", 0)},
		"a whole URL, any query":   {"search?secret", "search", sanitizer.Hint{URL: true}},
		"a whole URL, any hash":    {"a b#c", "a b", sanitizer.Hint{URL: true}},
		"a whole URL with a space": {"/a b?c d=e f&utm_id=1", "/a b?utm_id=1", sanitizer.Hint{URL: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := s.Text(tc.in, tc.hint); got != tc.want {
				t.Errorf("became %q, want %q", got, tc.want)
			}
		})
	}
}

func TestOwnPatterns(t *testing.T) {
	s := build(t, sanitizer.Config{Patterns: []sanitizer.Pattern{{Name: "customer", Match: `\bK-\d{6}\b`}}})
	got, found := s.Text("from K-123456 to a@b.co", sanitizer.Hint{})
	if got != "from [customer] to [email]" || !slices.Equal(s.NamesOf(found), []string{"email", "customer"}) {
		t.Errorf("became %q: %v", got, s.NamesOf(found))
	}
	allow, err := s.Set([]string{"customer"})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Text("K-123456", sanitizer.Hint{Allow: allow}); got != "K-123456" {
		t.Errorf("an exempted pattern: %q", got)
	}
	if _, err := s.Set([]string{"emial"}); err == nil {
		t.Error("an unknown kind was taken")
	}
}

func TestIdentity(t *testing.T) {
	s := build(t, sanitizer.Config{})
	for _, id := range []string{"", "michelle1", "user-48213", "9f1c2f64-3b1e-4a7b-8f55-0d7a2f3c9b10", "1234567890", "1234567890.1700000000"} {
		if got, found := s.Identity(id, sanitizer.Hint{}); got != id || found != 0 {
			t.Errorf("%q became %q", id, got)
		}
	}
	a, found := s.Identity("Jane@Example.com", sanitizer.Hint{})
	b, _ := s.Identity("jane@example.com", sanitizer.Hint{})
	if a != b || len(a) != 64 || found != sanitizer.Email {
		t.Errorf("%q and %q: %v", a, b, s.NamesOf(found))
	}
	if c, _ := s.Identity("+1 415 555 2671", sanitizer.Hint{}); len(c) != 64 || c == a {
		t.Errorf("a phone number became %q", c)
	}
	other, err := sanitizer.New(sanitizer.Config{Key: "another key of a test"})
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := other.Identity("jane@example.com", sanitizer.Hint{}); c == a {
		t.Error("another key, the same hash")
	}
}

func TestValue(t *testing.T) {
	s := build(t, sanitizer.Config{})
	str, num := event.StringValue, event.NumberValue
	for literal, card := range map[string]bool{
		"4111111111111111": true, "-4111111111111111": true, "4111111111111111.0": true, "4.111111111111111e15": true, "4.111111111111111E+15": true,
		"4111111111111112": false, "1795166102417000": false, "0.4111111111111111": false, "4111111111111111.5": false, "12345678901234567890": false,
		"19.99": false, "1e400": false, "1e-15": false, "4111111111111111e0": true, "4222222222222": false,
	} {
		got, found := s.Value(num(literal), sanitizer.Hint{})
		if (got.Kind == event.String && got.Text == "[card]") != card || (found == sanitizer.Card) != card {
			t.Errorf("%s became %+v", literal, got)
		}
	}
	in := event.Value{Kind: event.Object, Fields: []event.Property{
		{Name: "a@b.co", Value: num("1")}, {Name: "c@d.org", Value: num("2")},
		{Name: "list", Value: event.Value{Kind: event.Array, Items: []event.Value{str("x"), str("e@f.net"), {Kind: event.Null}}}},
		{Name: "appVersion", Value: str("1.2.3.4")},
	}}
	got, found := s.Value(in, sanitizer.Hint{})
	if found != sanitizer.Email || len(got.Fields) != 3 || got.Fields[0].Name != "[email]" || got.Fields[1].Value.Items[1].Text != "[email]" || got.Fields[2].Value.Text != "1.2.3.4" {
		t.Errorf("%+v", got)
	}
}

func TestConfigCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		c    sanitizer.Config
		want string
	}{
		"short key":       {sanitizer.Config{Key: "x"}, "key: 1 bytes"},
		"any parameter":   {sanitizer.Config{Parameters: []string{"*"}}, "parameters[0]"},
		"no region":       {sanitizer.Config{Regions: []string{"ES", "spain"}}, "regions[1]"},
		"no name":         {sanitizer.Config{Patterns: []sanitizer.Pattern{{Match: "x"}}}, "patterns[0]: name"},
		"taken name":      {sanitizer.Config{Patterns: []sanitizer.Pattern{{Name: "email", Match: "x"}}}, "is taken"},
		"twice":           {sanitizer.Config{Patterns: []sanitizer.Pattern{{Name: "a", Match: "x"}, {Name: "a", Match: "y"}}}, "patterns[1]: name"},
		"not a pattern":   {sanitizer.Config{Patterns: []sanitizer.Pattern{{Name: "x1", Match: "("}}}, "patterns[0]: match"},
		"matches nothing": {sanitizer.Config{Patterns: []sanitizer.Pattern{{Name: "x1", Match: "a*"}}}, "empty string"},
		"matches itself":  {sanitizer.Config{Patterns: []sanitizer.Pattern{{Name: "x1", Match: "x1"}}}, "own replacement"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.c.Check(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
	if _, err := sanitizer.New(sanitizer.DefaultConfig()); err == nil {
		t.Error("built without a key")
	}
}
