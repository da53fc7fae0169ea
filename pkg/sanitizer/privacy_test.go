package sanitizer_test

import (
	"encoding/base64"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"google.golang.org/protobuf/proto"

	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

func entropy(s string) float64 {
	counts := map[rune]float64{}
	for _, c := range s {
		counts[c]++
	}
	sum := 0.0
	for _, n := range counts {
		sum -= n / float64(len(s)) * math.Log2(n/float64(len(s)))
	}
	return sum
}

// documented is the percentage in the row of docs/PRIVACY.md that begins so.
func documented(t *testing.T, row string) float64 {
	t.Helper()
	page, err := os.ReadFile("../../docs/PRIVACY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "\n| "+row)
	line, _, _ := strings.Cut(rest, "\n")
	cells := strings.Split(line, "|")
	if !ok || len(cells) < 3 {
		t.Fatalf("docs/PRIVACY.md has no row %q", row)
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(cells[len(cells)-2]), " %"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return percent
}

// TestSecretsAreFound measures how many keys in the shapes of gitleaks' rules are
// found, alone and within a text.
func TestSecretsAreFound(t *testing.T) {
	s, r := build(t, sanitizer.Config{}), rand.New(rand.NewPCG(1, 2))
	const secrets = sanitizer.Key | sanitizer.Secret | sanitizer.Token | sanitizer.JWT | sanitizer.PrivateKey | sanitizer.Credentials
	found, all := 0, 0
	var missed []string
	for _, rule := range gitleaks(t) {
		hits, tries := 0, 0
		for range 5 {
			key := sample(r, rule.match)
			for n := 0; n < 20 && entropy(key) <= rule.entropy+0.5; n++ {
				key = sample(r, rule.match)
			}
			for _, text := range []string{key, "it is " + key + " now", `{"a":"` + key + `"}`} {
				tries++
				if _, kinds := s.Text(text, sanitizer.Hint{}); kinds&secrets != 0 {
					hits++
				} else if testing.Verbose() && hits == 0 {
					t.Logf("%s: %q", rule.id, text)
				}
			}
		}
		found, all = found+hits, all+tries
		if hits*2 < tries {
			missed = append(missed, rule.id)
		}
	}
	t.Logf("%d of %d keys found; not those of %q", found, all, missed)
	if share := 100 * float64(found) / float64(all); share < max(95, documented(t, "`key`, `token`")) {
		t.Errorf("%.1f%% of the keys were found", share)
	}
}

// TestSecretsByTheirNames holds what stands beside a name, or in a property of that
// name, and what does not.
func TestSecretsByTheirNames(t *testing.T) {
	s := build(t, sanitizer.Config{})
	r := rand.New(rand.NewPCG(5, 6))
	base62 := func(n int) string {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	basic := base64.StdEncoding.EncodeToString([]byte("jane:" + base62(9)))
	for text, want := range map[string]string{
		"password=hunter2!":                                         "password=[secret]",
		"db.password=correct":                                       "db.password=[secret]",
		"client_secret: '" + base62(20) + "'":                       "client_secret: '[secret]'",
		"the api_key=" + base62(12) + " is old":                     "the api_key=[secret] is old",
		"session_token=" + base62(24):                               "session_token=[secret]",
		"Bearer\t" + base62(24):                                     "[token]",
		"Authorization: Token " + base62(30):                        "Authorization: [token]",
		"ApiKey: " + base62(30):                                     "[token]",
		"basic: " + basic:                                           "[token]",
		"Basic " + base62(20):                                       "",
		"password: required":                                        "",
		"reset token: expired":                                      "",
		"token=0":                                                   "",
		"AccountKey=" + base62(86) + "==;":                          "[key];",
		"ZXlKaGJHY2lPaUpJVXpJMU5pSjk" + "uZXlK":                     "",
		"discord.com/api/webhooks/123456789012345678/" + base62(68): "[key]",
		"https://api.telegram.org/bot1234567890:AA" + base62(33) + "/getMe":       "https://api.telegram.org/[key]/getMe",
		"hooks.slack.com/services/T01234567/B01234567/" + base62(24):              "[key]",
		"https://x.webhook.office.com/webhookb2/" + base62(40) + "@" + base62(36): "",
	} {
		got := s.String(text)
		if want == "" {
			want = got
			if strings.HasPrefix(text, "https") == (got == text) {
				t.Errorf("%q became %q", text, got)
			}
		}
		if got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	for name, tc := range map[string]struct {
		value string
		found bool
	}{
		"password": {"hunter", true}, "passwd": {"a#b?c;d", true}, "clientSecret": {"a1b2c3d4", true}, "API_KEY": {base62(16), true}, "authToken": {base62(32), true},
		"forgot_password": {"clicked", false}, "design_token": {"color-primary-500", false}, "token": {"true", false}, "hasPassword": {"false", false},
	} {
		got, found := s.Text(tc.value, sanitizer.HintFor(name, 0))
		if (found == sanitizer.Secret) != tc.found || tc.found != (got == "[secret]") {
			t.Errorf("%s: %q became %q", name, tc.value, got)
		}
	}
}

// TestPhonesOfRegions measures the national forms of numbers in the operator's
// regions: the library's own examples, in the form that it writes them in.
func TestPhonesOfRegions(t *testing.T) {
	regions := []string{"US", "GB", "DE", "FR", "ES", "PL", "IT", "NL", "SE", "AT", "CH", "BR", "AU", "JP", "IN", "MX"}
	found, bare, all := 0, 0, 0
	for _, region := range regions {
		s := build(t, sanitizer.Config{Regions: []string{region}})
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE} {
			number := phonenumbers.GetExampleNumberForType(region, kind)
			for n := range 10 { // others of the same block, if they exist
				other := proto.Clone(number).(*phonenumbers.PhoneNumber)
				*other.NationalNumber += uint64(n)
				if !phonenumbers.IsValidNumberForRegion(other, region) {
					continue
				}
				all++
				text := phonenumbers.Format(other, phonenumbers.NATIONAL)
				if got, kinds := s.Text(text, sanitizer.Hint{}); kinds == sanitizer.Phone && !strings.ContainsAny(got, "0123456789") {
					found++
				} else {
					t.Logf("%s: %q became %q", region, text, got)
				}
				if got, _ := s.Text(strings.Trim(strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(text), " "), sanitizer.HintFor("customerPhone", 0)); got == "[phone]" {
					bare++
				}
			}
		}
	}
	t.Logf("%d of %d national numbers found, %d as bare digits in a property named for a phone", found, all, bare)
	share := func(n int) float64 { return 100 * float64(n) / float64(all) }
	if all < 300 || share(found) < documented(t, "`phone`, national") || share(bare) < documented(t, "`phone`, bare") {
		t.Errorf("%d of %d national numbers found, %d as bare digits", found, all, bare)
	}
	if got := build(t, sanitizer.Config{}).String("612 34 56 78"); got != "612 34 56 78" {
		t.Errorf("a number of no region that was named became %q", got)
	}
	for name, value := range map[string]string{"phone_model": "iPhone 15 Pro", "mobile": "true", "isMobile": "1", "mobileScreens": "1280", "hotel": "4155552671"} {
		if got, kinds := build(t, sanitizer.Config{}).Text(value, sanitizer.HintFor(name, 0)); kinds != 0 {
			t.Errorf("%s: %q became %q", name, value, got)
		}
	}
}

// TestOrdinaryHidesNothing compares with a sanitizer that looks at every text closely,
// because it has a pattern of the operator's.
func TestOrdinaryHidesNothing(t *testing.T) {
	s, closely := build(t, sanitizer.Config{}), build(t, sanitizer.Config{Patterns: []sanitizer.Pattern{{Name: "never", Match: "nothing is like this"}}})
	r := rand.New(rand.NewPCG(7, 8))
	texts := append(lines(t, "testdata/go.txt"), lines(t, "testdata/stay.txt")...)
	for _, rule := range gitleaks(t) {
		for range 10 {
			texts = append(texts, sample(r, rule.match))
		}
	}
	for _, patterns := range ordinaryValues {
		for _, pattern := range patterns {
			for range 20 {
				texts = append(texts, fill(r, pattern))
			}
		}
	}
	for _, text := range texts {
		got, _ := s.Text(text, sanitizer.Hint{})
		if want, found := closely.Text(text, sanitizer.Hint{}); got != want {
			t.Errorf("%q became %q, looked at closely %q: %v", text, got, want, closely.NamesOf(found))
		}
	}
}
