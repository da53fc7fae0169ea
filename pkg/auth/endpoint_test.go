package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// endpoint is a strict token endpoint: it takes only an assertion that the key
// it knows has signed, with the claims that Google demands.
type endpoint struct {
	key *rsa.PrivateKey
	uri string

	mu    sync.Mutex
	calls int
	life  int // seconds of a token
	fail  func(w http.ResponseWriter) bool
	wrong []string
}

const (
	email = "sparrow@test.iam.gserviceaccount.com"
	keyID = "k1"
	scope = "https://www.googleapis.com/auth/bigquery"
)

var signing = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newEndpoint(uri string) *endpoint { return &endpoint{key: signing(), uri: uri, life: 3600} }

// account is the JSON of the key.
func (e *endpoint) account(t *testing.T, change func(map[string]string)) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(e.key)
	if err != nil {
		t.Fatal(err)
	}
	file := map[string]string{
		"type": "service_account", "client_email": email, "private_key_id": keyID, "token_uri": e.uri,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
	if change != nil {
		change(file)
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls++
	if e.fail != nil && e.fail(w) {
		return
	}
	if err := e.check(r); err != nil {
		e.wrong = append(e.wrong, err.Error())
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"secret-assertion"}`))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, e.calls, e.life)
}

func (e *endpoint) check(r *http.Request) error {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return fmt.Errorf("%s %s", r.Method, r.Header.Get("Content-Type"))
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	if got := r.PostForm.Get("grant_type"); got != "urn:ietf:params:oauth:grant-type:jwt-bearer" || len(r.PostForm) != 2 {
		return fmt.Errorf("form %v", r.PostForm)
	}
	claims := jwt.MapClaims{}
	token, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience(e.uri), jwt.WithIssuer(email), jwt.WithIssuedAt(), jwt.WithExpirationRequired()).
		ParseWithClaims(r.PostForm.Get("assertion"), claims, func(*jwt.Token) (any, error) { return &e.key.PublicKey, nil })
	if err != nil {
		return err
	}
	issued, _ := claims.GetIssuedAt()
	expires, _ := claims.GetExpirationTime()
	if life := expires.Sub(issued.Time); life > time.Hour {
		return fmt.Errorf("the assertion is good for %s", life)
	}
	if token.Header["kid"] != keyID || claims["scope"] != scope {
		return fmt.Errorf("header %v, claims %v", token.Header, claims)
	}
	return nil
}

func (e *endpoint) asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}

// inside is a client that reaches the endpoint without a socket, for tests of
// time.
func (e *endpoint) inside() *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		e.ServeHTTP(recorder, r)
		return recorder.Result(), nil
	})}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// started serves the endpoint on a socket of its own.
func started(t *testing.T) *endpoint {
	t.Helper()
	e := newEndpoint("")
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.uri = server.URL + "/token"
	if _, err := url.Parse(e.uri); err != nil {
		t.Fatal(err)
	}
	return e
}
