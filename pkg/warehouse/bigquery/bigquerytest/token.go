package bigquerytest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// tokens issues and knows access tokens.
type tokens struct {
	life time.Duration

	once sync.Once
	key  *rsa.PrivateKey // of the service account; made when it is first needed
	err  error

	mu     sync.Mutex
	issued map[string]time.Time // until when each is good
}

const (
	keyID  = "0123456789abcdef0123456789abcdef01234567"
	keyLen = 2048
	// maxAssertion is how long an assertion may be good for.
	maxAssertion = time.Hour
	// skew is how far ahead the clock of a client may be.
	skew = 5 * time.Minute
	// maxTokens bounds the tokens that are remembered.
	maxTokens = 100_000
)

func newTokens(life time.Duration) *tokens {
	return &tokens{life: life, issued: map[string]time.Time{}}
}

func (t *tokens) account() (*rsa.PrivateKey, error) {
	t.once.Do(func() { t.key, t.err = rsa.GenerateKey(rand.Reader, keyLen) })
	return t.key, t.err
}

// issue makes a token.
func (t *tokens) issue() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	token := "ya29.test-" + hex.EncodeToString(b[:])
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.issued) >= maxTokens {
		return "", errors.New("too many tokens were issued")
	}
	t.issued[token] = time.Now().Add(t.life)
	return token, nil
}

func (t *tokens) good(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	until, found := t.issued[token]
	return found && time.Now().Before(until)
}

func (t *tokens) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.issued)
}

// ExpireTokens ends every token that was issued: calls that are made with one,
// and appends on connections that were opened with one, are unauthenticated.
func (s *Server) ExpireTokens() { s.tokens.expire() }

// Token issues an access token, for clients that have no key.
func (s *Server) Token() (string, error) { return s.tokens.issue() }

// email is the service account's name.
func (s *Server) email() string { return "sparrow@" + s.config.Project + ".iam.gserviceaccount.com" }

// Credentials is the JSON of a key of the server's service account, as Google's
// console gives it, with the server's token endpoint.
func (s *Server) Credentials() ([]byte, error) {
	key, err := s.tokens.account()
	if err != nil {
		return nil, fmt.Errorf("make service account key: %w", err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make service account key: %w", err)
	}
	return json.Marshal(map[string]string{
		"type": "service_account", "project_id": s.config.Project, "private_key_id": keyID, "client_id": "1",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
		"client_email": s.email(), "token_uri": s.tokenURL(),
	})
}

func (s *Server) tokenURL() string { return s.URL() + "/token" }

// serveToken exchanges an assertion for an access token: "Using OAuth 2.0 for
// Server to Server Applications", HTTP/REST.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	refuse := func(code, description string) {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": description})
	}
	switch {
	case r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		refuse("invalid_request", "POST a form.")
		return
	case r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
		refuse("unsupported_grant_type", "Invalid grant_type: "+r.PostFormValue("grant_type"))
		return
	}
	if code, problem := s.checkAssertion(r.PostFormValue("assertion")); problem != "" {
		refuse(code, problem)
		return
	}
	token, err := s.tokens.issue()
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "internal_failure"})
		return
	}
	s.counters.token()
	writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": int(s.tokens.life / time.Second), "token_type": "Bearer"})
}

// claims are what an assertion says.
type claims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"`
}

// checkAssertion says what is wrong with an assertion, in Google's words.
func (s *Server) checkAssertion(assertion string) (code, problem string) {
	key, err := s.tokens.account()
	if err != nil {
		return "invalid_grant", "The server has no key."
	}
	said := &claims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithLeeway(skew), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
	_, err = parser.ParseWithClaims(assertion, said, func(t *jwt.Token) (any, error) {
		if id, found := t.Header["kid"]; found && id != keyID {
			return nil, errors.New("unknown key")
		}
		return &key.PublicKey, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenUsedBeforeIssued), errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
	case err != nil:
		return "invalid_grant", "Invalid JWT Signature."
	case said.Issuer != s.email():
		return "invalid_grant", "Invalid grant: account not found"
	case said.IssuedAt == nil || said.ExpiresAt.Sub(said.IssuedAt.Time) > maxAssertion || said.ExpiresAt.Before(time.Now()):
		return "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
	case len(said.Audience) != 1 || said.Audience[0] != s.tokenURL():
		return "invalid_grant", "Invalid JWT: Failed audience check."
	case !allowed(said.Scope):
		return "invalid_scope", "Invalid OAuth scope or ID token audience provided."
	}
	return "", ""
}

// scopes are those that open BigQuery.
var scopes = map[string]bool{
	"https://www.googleapis.com/auth/bigquery": true, "https://www.googleapis.com/auth/cloud-platform": true,
	"https://www.googleapis.com/auth/bigquery.insertdata": true,
}

func allowed(scope string) bool {
	list := strings.Fields(scope)
	for _, one := range list {
		if !scopes[one] {
			return false
		}
	}
	return len(list) > 0
}

// authorize is the token of a gRPC call, if it is good.
func (s *Server) authorize(ctx context.Context) (string, *status.Status) {
	given := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(given) != 1 {
		given = []string{""}
	}
	token := strings.TrimPrefix(given[0], "Bearer ")
	return token, s.checkToken(token)
}

func (s *Server) checkToken(token string) *status.Status {
	if s.config.Anonymous || s.tokens.good(token) {
		return nil
	}
	return unauthenticated()
}
