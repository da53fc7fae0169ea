package trackertest

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

func configurationIsStrict(k *check) {
	if _, _, err := k.build(k.spec.Config + "\nnoSuchKeyAtAll: 1\n"); err == nil {
		k.failf("an unknown key is accepted: return the error of decode")
	}
	if _, _, err := k.build(k.spec.Config + "\nbaseURL: http://collector.example.com\n"); err == nil {
		k.failf("plain http to another machine is accepted: check baseURL with tracker.CheckBaseURL")
	}
	if len(k.spec.Refused) == 0 {
		k.failf("the spec names no configuration that is refused")
	}
	for _, r := range k.spec.Refused {
		_, _, err := k.build(r.Config)
		switch {
		case err == nil:
			k.failf("accepted, though %s is wrong:\n%s", r.Key, r.Config)
		case !strings.Contains(err.Error(), r.Key):
			k.failf("the error does not name the key %s: %v", r.Key, err)
		}
	}
}

func errorsShowNoSecret(k *check) {
	const advice = " (keep it as a tracker.Secret, in an unexported field behind a function)"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		k.secretIn("the tracker printed with "+verb+advice, fmt.Sprintf(verb, k.tracker))
		k.secretIn("its traits printed with "+verb+advice, fmt.Sprintf(verb, k.traits))
	}
	var lines bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&lines, nil), slog.NewJSONHandler(&lines, nil)} {
		slog.New(handler).Info("tracker is built", "tracker", k.tracker, "secrets", k.traits.Secrets)
	}
	k.secretIn("a log line"+advice, lines.String())
	// One key wrong, the secrets right: the error is about the former.
	for _, line := range []string{"noSuchKeyAtAll: 1", "baseURL: 'ftp://x'", "baseURL: 'https://user:" + k.aSecret() + "@example.com'", "baseURL: [1, 2]"} {
		if _, _, err := k.build(k.spec.Config + "\n" + line + "\n"); err != nil {
			k.secretIn("an error", err.Error())
		}
	}
	for _, r := range k.spec.Refused {
		if _, _, err := k.build(r.Config); err != nil {
			k.secretIn("an error", err.Error())
		}
	}
}

func traitsMakeSense(k *check) {
	t := k.traits
	if t.MaxBatch < 1 {
		k.failf("MaxBatch is %d: Requests would get no event", t.MaxBatch)
	}
	if t.Concurrency < 1 {
		k.failf("Concurrency is %d: nothing would be sent", t.Concurrency)
	}
	if t.Linger < 0 || t.MaxEventAge < 0 {
		k.failf("Linger %v, Window %v: want none below 0", t.Linger, t.MaxEventAge)
	}
	if t.Rate < 0 || t.Rate > 0 && t.Burst < 1 {
		k.failf("Rate %v with Burst %d: nothing would be sent", t.Rate, t.Burst)
	}
	if t.Rate > 0 && t.Burst < t.MaxBatch && t.Burst < k.spec.MaxEvents {
		k.failf("Burst %d is below what one request may hold: it could never be sent", t.Burst)
	}
	if t.IdentityRate < 0 || t.IdentityRate > 0 && t.Identity == nil {
		k.failf("IdentityRate %d without Identity: the lane could not tell whose it is", t.IdentityRate)
	}
	for _, s := range k.spec.Secrets {
		if !k.namedSecret(s) {
			k.failf("Traits.Secrets lacks one of the configuration's secrets: Redact could not hide it")
		}
	}
}

func (k *check) namedSecret(secret string) bool {
	for _, s := range k.traits.Secrets {
		if s.Reveal() == secret {
			return true
		}
	}
	return false
}

func (k *check) aSecret() string {
	if len(k.spec.Secrets) == 0 {
		return "no-secret-at-all"
	}
	return k.spec.Secrets[0]
}

// secretIn reports a secret that text shows, without printing it again.
func (k *check) secretIn(where, text string) {
	for _, s := range k.spec.Secrets {
		if strings.Contains(text, s) {
			k.failf("%s shows a secret: %s", where, tracker.Redact([]byte(text), []tracker.Secret{tracker.Secret(s)}))
		}
	}
}
