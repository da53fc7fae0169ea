package sanitizer_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

// TestTimeIsLinear compares texts of hostile shape with ones eight times as
// long: quadratic work would show as 64 times the time.
func TestTimeIsLinear(t *testing.T) {
	s := build(t, sanitizer.Config{})
	for _, unit := range []string{
		"a", "a@", "@", "a.", "a@b.", "1 ", "1-", "1.", "1:", "a:", "::", "1::", "eyJ", "eyJa-", "eyJaaaaa.", "sk-", "sk-a", "ghp_", "bearer ", "bearer a-",
		"(at)", "a(at)", "[at]a", "a(at)b(dot)", "-", "-----BEGIN ", "-----BEGIN PRIVATE KEY", "%", "%25", "%2525", "&#", "&#64;", "\\u0040", "/?a=b&", "?a=", "#",
		"://", "a://b@", "//@", "?", "/", "+1", "+1 ", "(1", "(030) 1", "DE12", "DE89 3704 ", "AKIA", "0", "00", "4111 ", "4111", "2026-11-20", "é", "a\u200b", "@\u200b", "１",
		"a@b.co ", "1.2.3.4 ", "Chrome/1.2.3.4 ", "%3A%2F%2F", "[", "]", "[email]", "\xff", "%ff",
		"token=", "password:", "twitter=a1", "twitter,aB3aB3aB3aB3aB3 ", "sk-aB3", "sk-aB3aB3aB3-", "curl -u ", "Q~", "a_mmk", "030 12345 ", "030/1234567 x ", "https://a:b/", ";a=b", "&a=b", "#a=b",
	} {
		t.Run(unit, func(t *testing.T) {
			// The best of many rounds: on a busy machine each may be interrupted,
			// but work that is quadratic is so in every round.
			texts := [...]string{strings.Repeat(unit, 4<<10/len(unit)+1), strings.Repeat(unit, 32<<10/len(unit)+1)}
			best := [...]time.Duration{time.Hour, time.Hour}
			for range 30 {
				for i, text := range texts {
					start := time.Now()
					s.Text(text, sanitizer.Hint{})
					best[i] = min(best[i], time.Since(start))
				}
				if best[1] <= 25*best[0]+5*time.Millisecond {
					return
				}
			}
			t.Errorf("4 KiB took %v, 32 KiB %v", best[0], best[1])
		})
	}
}

// TestKeywordsCostNoMoreThanAFewRules: a text may be full of words at which the rules
// of API keys run, which takes many microseconds each (5 s for 32 KB, unbounded).
// After two hundred of them what stands there is taken for a key, unread.
func TestKeywordsCostNoMoreThanAFewRules(t *testing.T) {
	s := build(t, sanitizer.Config{})
	for _, unit := range []string{"jira=aaaaaaaaaaaaaaaaaaaa ", "discordapp.com = 'aaaaaaaaaaaaaaaa' ", "asana: bbbbbbbbbbbbbbbb; "} {
		text := strings.Repeat(unit, 4000)
		clean, found := s.Text(text, sanitizer.Hint{})
		if rest := strings.Count(clean, strings.TrimSpace(unit)); found == 0 || rest > 200 {
			t.Errorf("%q: %d of 4,000 are left, found %v", unit, rest, s.NamesOf(found))
		}
		if again, _ := s.Text(clean, sanitizer.Hint{}); again != clean {
			t.Errorf("%q: a second reading changes the text", unit)
		}
		few := strings.Repeat(unit, 10)
		if clean, found := s.Text(few, sanitizer.Hint{}); clean != few {
			t.Errorf("%q ten times becomes %.60q, %v", unit, clean, s.NamesOf(found))
		}
	}
}

func TestOrdinaryTextCostsNoAllocation(t *testing.T) {
	s := build(t, sanitizer.Config{})
	for _, text := range []string{"", "billing", "purchase product", "19.99", "en-GB", "Why batching matters", "/posts/42", "9f1c2f64-3b1e-4a7b-8f55-0d7a2f3c9b10", "2026-11-20T09:14:40.000Z",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", "https://example.com/posts/42"} {
		if n := testing.AllocsPerRun(100, func() { s.Text(text, sanitizer.Hint{}) }); n != 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

func FuzzText(f *testing.F) {
	s := build(f, sanitizer.Config{Patterns: []sanitizer.Pattern{{Name: "customer", Match: `K-\d+`}}})
	for _, seed := range []string{
		"jane%2540example.com", "https://u:p@h/a?b=c#d", "4111 1111 1111 1111", "[email]@b.co", "a@b.co4111111111111111", "%5Bemail%5D", "DE89 3704 0044 0532 0130 00",
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "a (at) b (dot) co", "::1", "K-1", "-----BEGIN PRIVATE KEY-----", "jane＠example。com", "\xff@b.co", "+1 (415) 555-2671",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, url bool) {
		h := sanitizer.Hint{URL: url}
		got, found := s.Text(text, h)
		if found == 0 && got != text {
			t.Fatalf("%q became %q without a finding", text, got)
		}
		if again, more := s.Text(got, h); more != 0 || again != got {
			t.Fatalf("%q became %q, and then %q: %v", text, got, again, s.NamesOf(more))
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("%q became %q, which is not UTF-8", text, got)
		}
		if len(got) > 8*len(text)+32 {
			t.Fatalf("%d bytes became %d", len(text), len(got))
		}
	})
}

func BenchmarkText(b *testing.B) {
	s := build(b, sanitizer.Config{})
	for name, text := range map[string]string{
		"word": "billing", "title": "Why batching matters", "price": "19.99", "uuid": "9f1c2f64-3b1e-4a7b-8f55-0d7a2f3c9b10",
		"agent":   "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
		"url":     "https://news.example.com/posts/42?utm_source=nl",
		"finding": "write to jane@example.com",
		"prose": strings.Repeat("Why do small batches matter? Because a lane that is behind sends fewer, larger requests, and a vendor (or its proxy) "+
			"counts requests, not events; in 2026 most of them allow 30 a second - enough for a shop, too few for a portal. ", 8),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				s.Text(text, sanitizer.Hint{})
			}
		})
	}
}
