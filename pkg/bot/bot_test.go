package bot_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/bot"
)

func TestIs(t *testing.T) {
	const browser = "Mozilla/5.0 (Linux; Android 9; %) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Mobile Safari/537.36"
	for _, people := range []string{
		"", "BOTIM/1.2 CFNetwork/1390", "BoticarioApp/3.1 (iPhone)", "Talbots/7.1 (iPhone; iOS 17)", "LighthouseHotels/2.0", "curl/8.5.0", "python-requests/2.31",
		strings.Replace(browser, "%", "Spider X5", 1), strings.Replace(browser, "%", "M bot 51", 1), strings.Replace(browser, "%", "CUBOT_NOTE_S", 1),
		strings.Replace(browser, "%", "RMX3945 Build/AP3A.240617.008; wv", 1), strings.Replace(browser, "%", "ViewSonic V500", 1),
		strings.Replace(browser, "%", "Cubot", 1), "Go-http-client/1.1", "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20)",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.127 Safari/537.36 Edg/126.0.2592.87",
	} {
		if bot.Is(people) {
			t.Errorf("%q is a person's", people)
		}
	}
	for _, machine := range []string{
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Lightpanda/1.0", "Owler (ows.eu/owler)",
		"Mozilla/5.0 (compatible; Yeti/1.1; +http://naver.me/spd)", "Mozilla/5.0 (compatible; Claude-User/1.0; +Claude-User@anthropic.com)",
		"Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)", "Mozilla/5.0 (X11; Linux x86_64) Chrome/118.0 Safari/537.36 DatadogSynthetics",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Cypress/13.6.0 Chrome/114.0 Electron/25.8 Safari/537.36",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/118.0 Safari/537.36", "UnknownBot/1.0", "Somespider",
		"Googlebot/2.1", "Mozilla/5.0 (compatible; bingbot/2.0)", "HeadlessChrome/141", "AhrefsBot", "SPIDER",
	} {
		if !bot.Is(machine) {
			t.Errorf("%q is a machine's", machine)
		}
	}
}

// TestPublicLists holds the figures of docs/CONFIGURATION.md. The lists are the
// fixtures of github.com/omrilotan/isbot (Unlicense). Its machines include HTTP
// libraries, which are not bots here; those that say they are browsers count for
// more, as only they run scripts in pages.
func TestPublicLists(t *testing.T) {
	for name, want := range map[string]struct{ from, to float64 }{"people": {0, 1}, "machines": {59, 100}, "machines that say Mozilla": {74, 100}} {
		file, prefix, browsers := strings.Cut(name, " that say ")
		found, all := 0, 0
		for _, userAgent := range lines(t, "testdata/"+file+".txt") {
			if browsers && !strings.HasPrefix(userAgent, prefix) {
				continue
			}
			all++
			if bot.Is(userAgent) {
				found++
			}
		}
		percent := 100 * float64(found) / float64(all)
		t.Logf("%s: %d of %d, %.1f%%", name, found, all, percent)
		if percent < want.from || percent > want.to {
			t.Errorf("%s: %.1f%% are found to be bots, want %g to %g", name, percent, want.from, want.to)
		}
	}
}

func lines(t *testing.T, name string) []string {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func TestOwnRulesComeFirst(t *testing.T) {
	rules := bot.Rules{People: []string{"OurApp/"}, Machines: []string{"Probe", "OurApp"}}
	for userAgent, want := range map[string][2]bool{
		"OurApp/2 Googlebot/2.1": {false, true}, "OurApp 2": {true, true}, "Probe/1": {true, true}, "probe/1": {false, false}, "": {false, false},
	} {
		if machine, known := rules.Decide(userAgent); machine != want[0] || known != want[1] {
			t.Errorf("%q: machine %t, known %t, want %v", userAgent, machine, known, want)
		}
	}
}

// TestOnlyTheBeginningIsRead: a client may send any text as a user agent.
func TestOnlyTheBeginningIsRead(t *testing.T) {
	if bot.Is(strings.Repeat(" ", 1024)+"Googlebot/2.1") || !bot.Is(strings.Repeat(" ", 1000)+"Googlebot/2.1") {
		t.Error("want the first 1,024 bytes to count")
	}
}

// TestList compiles every entry, and wants the exceptions to be of the list.
func TestList(t *testing.T) {
	if !strings.HasPrefix(bot.Version, "crawler-user-agents ") {
		t.Errorf("version %q", bot.Version)
	}
	if missing := bot.UnusedExceptions(); len(missing) > 0 {
		t.Errorf("exceptions that the list does not have any more: %q", missing)
	}
}

func FuzzIs(f *testing.F) {
	f.Add("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
	f.Add("cubot")
	f.Add("\xff\x00bot")
	f.Fuzz(func(t *testing.T, userAgent string) {
		if len(userAgent) < 1000 && bot.Is(userAgent) && !bot.Is(userAgent+";") {
			t.Errorf("%q is a bot, but not with a semicolon", userAgent)
		}
	})
}

func BenchmarkIs(b *testing.B) {
	for b.Loop() {
		if bot.Is("Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.6.1 Mobile/15E148 Safari/604.1") {
			b.Fatal()
		}
	}
}
