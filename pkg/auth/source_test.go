package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sparrow-edge/sparrow/pkg/auth"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop")); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func source(t *testing.T, e *endpoint, client *http.Client) *auth.Source {
	t.Helper()
	account, err := auth.ParseServiceAccount(e.account(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	s, err := auth.NewSource(account, client, scope)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func token(t *testing.T, s *auth.Source) string {
	t.Helper()
	got, err := s.Token()
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	return got.AccessToken
}

func TestTokenOverASocketIsFetchedOnceForAll(t *testing.T) {
	e := started(t)
	s := source(t, e, nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if got, err := s.Token(); err != nil || got.AccessToken != "token-1" || got.TokenType != "Bearer" {
				t.Errorf("got %v, error %v", got, err)
			}
		})
	}
	all.Wait()
	if e.asked() != 1 || e.wrong != nil {
		t.Errorf("the endpoint was asked %d times, and found wrong: %v", e.asked(), e.wrong)
	}
}

func TestTokenIsRenewedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint("https://oauth2.example.com/token")
		s := source(t, e, e.inside())
		for _, step := range []struct {
			wait time.Duration
			want string
		}{{0, "token-1"}, {54 * time.Minute, "token-1"}, {2 * time.Minute, "token-2"}, {54 * time.Minute, "token-2"}, {3 * time.Hour, "token-3"}} {
			<-time.After(step.wait)
			if got := token(t, s); got != step.want {
				t.Errorf("after %s more: got %s, want %s", step.wait, got, step.want)
			}
		}
		s.Renew()
		if got := token(t, s); got != "token-4" {
			t.Errorf("after Renew: got %s, want token-4", got)
		}
	})
}

func TestOldTokenServesWhileTheEndpointIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint("https://oauth2.example.com/token")
		s := source(t, e, e.inside())
		token(t, s)
		e.fail = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusServiceUnavailable); return true }
		<-time.After(56 * time.Minute)
		if got := token(t, s); got != "token-1" {
			t.Errorf("got %s, want the old token", got)
		}
		<-time.After(4 * time.Minute)
		if got, err := s.Token(); err == nil {
			t.Errorf("got %v half a minute before its end, want an error", got)
		}
		e.fail = nil
		<-time.After(time.Minute)
		token(t, s)
	})
}

func TestFailingEndpointIsAskedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint("https://oauth2.example.com/token")
		e.fail = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusInternalServerError); return true }
		s := source(t, e, e.inside())
		for range 600 { // ten minutes of a caller that asks every second
			if _, err := s.Token(); err == nil {
				t.Fatal("a token from nowhere")
			} else if _, told := fault.RetryAfter(err); !told || fault.IsPermanent(err) {
				t.Fatalf("the error does not say when to try again, or is permanent: %v", err)
			}
			<-time.After(time.Second)
		}
		if n := e.asked(); n < 10 || n > 30 {
			t.Errorf("asked %d times in ten minutes, want 10 to 30", n)
		}
		e.fail = func(w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "300")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		<-time.After(2 * time.Minute) // longer than any pause
		_, _ = s.Token()
		before := e.asked()
		<-time.After(299 * time.Second)
		if _, err := s.Token(); err == nil || e.asked() != before {
			t.Errorf("asked %d times more within Retry-After", e.asked()-before)
		}
	})
}

func TestErrorsSayWhatToDoAndHoldNoSecret(t *testing.T) {
	e := newEndpoint("https://oauth2.example.com/token")
	answers := map[string]func(w http.ResponseWriter) bool{
		"refused": func(w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"hunter2"}`))
			return true
		},
		"unknown code": func(w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"error":"hunter2"}`))
			return true
		},
		"no JSON":  func(w http.ResponseWriter) bool { _, _ = w.Write([]byte(`hunter2`)); return true },
		"no token": func(w http.ResponseWriter) bool { _, _ = w.Write([]byte(`{"x":"hunter2"}`)); return true },
		"no life": func(w http.ResponseWriter) bool {
			_, _ = w.Write([]byte(`{"access_token":"hunter2","token_type":"Bearer"}`))
			return true
		},
		"other type": func(w http.ResponseWriter) bool {
			_, _ = w.Write([]byte(`{"access_token":"hunter2","token_type":"MAC","expires_in":9}`))
			return true
		},
		"redirect": func(w http.ResponseWriter) bool {
			w.Header().Set("Location", "https://elsewhere.example.com/hunter2")
			w.WriteHeader(http.StatusFound)
			return true
		},
		"too long": func(w http.ResponseWriter) bool { _, _ = w.Write(make([]byte, 1<<20)); return true },
	}
	for name, fail := range answers {
		t.Run(name, func(t *testing.T) {
			client := e.inside()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			e.fail = fail
			_, err := source(t, e, client).Token()
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "PRIVATE") || strings.Contains(err.Error(), "eyJ") {
				t.Errorf("a secret in the error: %v", err)
			}
			if permanent := name == "refused" || name == "unknown code"; fault.IsPermanent(err) != permanent {
				t.Errorf("permanent: %t, want %t: %v", !permanent, permanent, err)
			}
		})
	}
}

func TestUnreachableEndpointIsNamedWithoutItsURL(t *testing.T) {
	e := newEndpoint("https://oauth2.example.com/token?secret=hunter2")
	client := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") })}
	_, err := source(t, e, client).Token()
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "oauth2.example.com") {
		t.Errorf("error %v", err)
	}
}

func TestNothingPrintsKeyOrToken(t *testing.T) {
	e := newEndpoint("https://oauth2.example.com/token")
	account, err := auth.ParseServiceAccount(e.account(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	s := source(t, e, e.inside())
	token(t, s)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		printed := fmt.Sprintf(format+" "+format, account, s)
		if strings.Contains(printed, "token-1") || strings.Contains(printed, e.key.D.String()) {
			t.Errorf("%s prints a secret: %s", format, printed)
		}
	}
}

func TestParseServiceAccount(t *testing.T) {
	e := newEndpoint("https://oauth2.example.com/token")
	for name, c := range map[string]struct {
		change func(map[string]string)
		want   string
	}{
		"another type":      {func(f map[string]string) { f["type"] = "authorized_user" }, "service_account"},
		"no e-mail":         {func(f map[string]string) { f["client_email"] = "" }, "client_email"},
		"no key":            {func(f map[string]string) { f["private_key"] = "" }, "private_key"},
		"not a key":         {func(f map[string]string) { f["private_key"] = "hunter2" }, "PEM"},
		"plain HTTP":        {func(f map[string]string) { f["token_uri"] = "http://oauth2.example.com/token" }, "https"},
		"URL with password": {func(f map[string]string) { f["token_uri"] = "https://u:hunter2@example.com/" }, "token_uri"},
		"no URL":            {func(f map[string]string) { f["token_uri"] = "::hunter2" }, "token_uri"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := auth.ParseServiceAccount(e.account(t, c.change))
			if err == nil || !fault.IsPermanent(err) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want a permanent one with %q and no secret", err, c.want)
			}
		})
	}
	for _, text := range []string{"", "hunter2", "[]", strings.Repeat("x", 1<<17)} {
		if _, err := auth.ParseServiceAccount([]byte(text)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.10q: error %v", text, err)
		}
	}
	if _, err := auth.ParseServiceAccount(e.account(t, func(f map[string]string) { delete(f, "token_uri") })); err != nil {
		t.Errorf("without token_uri: %v", err)
	}
	if _, err := auth.NewSource(auth.ServiceAccount{}, nil, scope); err == nil {
		t.Error("an empty account was taken")
	}
}

func FuzzParseServiceAccount(f *testing.F) {
	f.Add([]byte(`{"type":"service_account","client_email":"a","private_key":"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		account, err := auth.ParseServiceAccount(text)
		if err == nil && account.Email() == "" {
			t.Error("an account without a name")
		}
	})
}

func TestGoogleWithoutKeyNeedsDefaults(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", t.TempDir()+"/hunter2.json")
	if _, err := auth.Google(t.Context(), "", scope); err == nil || !fault.IsPermanent(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
	if _, err := auth.Google(t.Context(), "{}", scope); err == nil {
		t.Error("an empty key was taken")
	}
	e := newEndpoint("https://oauth2.example.com/token")
	if _, err := auth.Google(t.Context(), string(e.account(t, nil)), scope); err != nil {
		t.Errorf("a good key: %v", err)
	}
}
