package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/trackers"
)

const plan = "events:\n  purchase:\n    trackers: [amplitude]\n"

const good = `environment: staging
sources:
  - name: web
    keys: [a-key-of-a-browser-0000]
    origins: ["https://shop.example"]
  - name: backend
    keys: [a-key-of-a-server-00000]
trackers:
  - kind: amplitude
    apiKey: ${AMPLITUDE_KEY}
`

// load loads a configuration beside a plan, in a directory of their own.
func load(t *testing.T, text string) (*config.Settings, string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"sparrow.yaml": text, "plan.yaml": plan} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := config.Load(filepath.Join(dir, "sparrow.yaml"), trackers.All(), func(name string) (string, bool) {
		return "0123456789abcdef0123456789abcdef", name == "AMPLITUDE_KEY"
	})
	return s, dir, err
}

func TestLoad(t *testing.T) {
	s, dir, err := load(t, good)
	if err != nil {
		t.Fatal(err)
	}
	if s.Config.Data != filepath.Join(dir, "data") || s.PlanFile() != filepath.Join(dir, "plan.yaml") {
		t.Errorf("relative paths do not count from the file: data %s, plan %s", s.Config.Data, s.PlanFile())
	}
	if s.Config.Listen != ":8080" || s.Config.Sentry.Environment != "staging" || s.Roles != (config.Roles{Dispatcher: true, Trace: true, Loader: true}) {
		t.Errorf("defaults: listen %s, sentry %s, roles %+v", s.Config.Listen, s.Config.Sentry.Environment, s.Roles)
	}
	if len(s.Trackers) != 1 || s.Trackers[0].Lane.Name != "amplitude" {
		t.Fatalf("trackers %+v", s.Trackers)
	}
	secrets := s.Secrets()
	for secret, want := range map[string]bool{"0123456789abcdef0123456789abcdef": true, "a-key-of-a-server-00000": true, "a-key-of-a-browser-0000": false} {
		if slices.Contains(secrets, secret) != want {
			t.Errorf("%s is a secret: %v, want %v", secret, !want, want)
		}
	}
	again, err := s.Reread()
	if err != nil || !again.Trackers[0].Same(s.Trackers[0]) {
		t.Errorf("unchanged files gave another tracker: %v", err)
	}
}

func TestLoadListsAllThatIsWrong(t *testing.T) {
	_, _, err := load(t, strings.Replace(good, "environment: staging", "environment: production\nlisten: nowhere\ndrain: 0s\npaths: {browser: /v1}", 1)+
		"  - kind: amplitude\n    apiKey: ${AMPLITUDE_KEY}\n  - kind: amplitud\n  - kind: amplitude\n    name: plain\n    apiKey: ${AMPLITUDE_KEY}\n    insecure: true\n")
	if err == nil {
		t.Fatal("it was accepted")
	}
	for _, want := range []string{"listen:", "drain:", "paths.browser:", "is taken by another tracker", `did you mean "amplitude"`, "insecure: plain HTTP"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "0123456789abcdef") {
		t.Errorf("the error shows a secret: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown key":             good + "nonsense: 1\n",
		"an unknown warehouse":       good + "warehouse: {kind: sqlite}\n",
		"a variable that is not set": strings.Replace(good, "AMPLITUDE_KEY", "OTHER", 1),
		"a plan's unknown tracker":   strings.Replace(good, "  - kind: amplitude", "  - kind: amplitude\n    name: other", 1),
	} {
		if _, _, err := load(t, text); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := config.Load(filepath.Join(t.TempDir(), "sparrow.yaml"), nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
}

func TestSetRoles(t *testing.T) {
	for name, c := range map[string]struct {
		roles []string
		url   string
		want  config.Roles
		err   string
	}{
		"none is all":         {want: config.Roles{Dispatcher: true, Trace: true, Loader: true}},
		"all, without NATS":   {roles: []string{"loader", "trace", "dispatcher"}, want: config.Roles{Dispatcher: true, Trace: true, Loader: true}},
		"some, with NATS":     {roles: []string{"dispatcher", "trace"}, url: "nats://host", want: config.Roles{Dispatcher: true, Trace: true}},
		"some, without NATS":  {roles: []string{"trace"}, err: "set journal.url"},
		"one that is unknown": {roles: []string{"loadr"}, err: "loader"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &config.Settings{}
			s.Config.Journal.URL = c.url
			err := s.SetRoles(c.roles)
			if c.err == "" && (err != nil || s.Roles != c.want) {
				t.Errorf("roles %+v, %v", s.Roles, err)
			}
			if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

func TestDevIsComplete(t *testing.T) {
	s, err := config.Dev(trackers.All(), config.DevOptions{Listen: "127.0.0.1:0", Data: t.TempDir()})
	if err != nil || !s.IsDev || s.Config.Listen != "127.0.0.1:0" || s.Reread != nil || len(s.Trackers) == 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestOpenSanitizerKeepsItsKey(t *testing.T) {
	s, err := config.Dev(trackers.All(), config.DevOptions{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var keys [2]string
	for i := range keys {
		if _, err := config.OpenSanitizer(s); err != nil {
			t.Fatal(err)
		}
		key, err := os.ReadFile(filepath.Join(s.Config.Data, "identity.key"))
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = string(key)
	}
	if keys[0] != keys[1] || len(keys[0]) != 65 {
		t.Errorf("keys %q", keys)
	}
}
