package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/console"
)

func TestConfig(t *testing.T) {
	h, err := console.Config([]console.Settings{
		{Key: "pk_plain"},
		{Key: "pk_full", Pageviews: "off", Consent: "wait", GPC: true, DNT: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"/s/config?key=pk_plain": `{"key":"pk_plain"}`,
		"/s/config?key=pk_full":  `{"key":"pk_full","pageviews":"off","consent":"wait","gpc":true,"dnt":true}`,
	} {
		r := do(t, h, "GET", target)
		if got := body(t, r); r.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: %d %s, want %s", target, r.StatusCode, got, want)
		}
		if r.Header.Get("Content-Type") != "application/json" || !strings.Contains(r.Header.Get("Cache-Control"), "max-age=300") || r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: headers %v", target, r.Header)
		}
		again := do(t, h, "GET", target, "If-None-Match", r.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified || body(t, again) != "" {
			t.Errorf("%s: %d where nothing changed", target, again.StatusCode)
		}
	}
	for target, status := range map[string]int{"/s/config": http.StatusNotFound, "/s/config?key=pk_": http.StatusNotFound, "/s/config?key=%zz": http.StatusNotFound} {
		if r := do(t, h, "GET", target); r.StatusCode != status || r.Header.Get("Cache-Control") != "" {
			t.Errorf("%s: %d, cached %q", target, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
	if r := do(t, h, "POST", "/s/config?key=pk_plain"); r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.StatusCode)
	}
}
