package bigquerytest_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	control "cloud.google.com/go/bigquery/storage/apiv1"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

const scope = "https://www.googleapis.com/auth/bigquery"

// secured is a server with TLS and tokens, and clients of it by Google's own
// token source.
type secured struct {
	server *bigquerytest.Server
	http   *http.Client // trusts the server
	tokens oauth2.TokenSource
	rest   *bigquery.Client
	raw    *control.BigQueryWriteClient
}

func newSecured(t *testing.T, config bigquerytest.Config) *secured {
	t.Helper()
	config.TLS = true
	s := &secured{server: bigquerytest.Start(t, config)}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.server.RootCAs(), MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	s.http = &http.Client{Transport: transport}
	key, err := s.server.Credentials()
	must(t, err)
	account, err := google.JWTConfigFromJSON(key, scope)
	must(t, err)
	ctx := context.WithValue(context.WithoutCancel(t.Context()), oauth2.HTTPClient, s.http)
	s.tokens = account.TokenSource(ctx)
	s.rest, err = bigquery.NewClient(ctx, s.server.Project(), option.WithEndpoint(s.server.URL()+"/bigquery/v2/"), option.WithHTTPClient(account.Client(ctx)))
	must(t, err)
	s.raw, err = control.NewBigQueryWriteClient(ctx, option.WithEndpoint(s.server.GRPCAddress()), option.WithTokenSource(s.tokens), option.WithGRPCConnectionPool(1),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(s.server.RootCAs(), ""))))
	must(t, err)
	t.Cleanup(func() {
		_ = s.raw.Close()
		_ = s.rest.Close()
	})
	return s
}

func TestTokensAreGivenForAssertions(t *testing.T) {
	s := newSecured(t, bigquerytest.Config{})
	must(t, s.rest.Dataset(dataset).Create(t.Context(), nil))
	must(t, s.rest.Dataset(dataset).Table(tableID).Create(t.Context(), &bigquery.TableMetadata{Schema: columns}))
	usual := managedwriter.TableParentFromParts(s.server.Project(), dataset, tableID) + "/streams/_default"
	_, err := s.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: usual})
	must(t, err)
	if n := s.server.Counts().Tokens; n != 2 { // one for each client
		t.Errorf("%d tokens, want 2", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, err := s.raw.AppendRows(ctx)
	must(t, err)
	_, err = exchange(t, c, request(usual, descriptor(), row("a")))
	must(t, err)

	s.server.ExpireTokens()
	_, err = exchange(t, c, request("", nil, row("x")))
	wantCode(t, err, codes.Unauthenticated, 0)
	_, err = s.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: usual})
	wantCode(t, err, codes.Unauthenticated, 0)
	_, err = s.rest.Dataset(dataset).Metadata(t.Context())
	if answer, found := errors.AsType[*googleapi.Error](err); !found || answer.Code != http.StatusUnauthorized {
		t.Errorf("error %v, want 401", err)
	}
	if n, _ := s.server.Store().Count(dataset, tableID); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestCallsNeedTokens(t *testing.T) {
	s := newSecured(t, bigquerytest.Config{})
	get := func(token string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL()+"/bigquery/v2/projects/test/datasets/d", nil)
		must(t, err)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := s.http.Do(req)
		must(t, err)
		must(t, response.Body.Close())
		return response.StatusCode
	}
	good, err := s.server.Token()
	must(t, err)
	for token, want := range map[string]int{"": http.StatusUnauthorized, "ya29.made-up": http.StatusUnauthorized, good: http.StatusNotFound} {
		if got := get(token); got != want {
			t.Errorf("token %q: status %d, want %d", token, got, want)
		}
	}
	s.server.ExpireTokens()
	if got := get(good); got != http.StatusUnauthorized {
		t.Errorf("an expired token: status %d", got)
	}
}

func TestTokensExpire(t *testing.T) {
	s := newSecured(t, bigquerytest.Config{TokenLife: time.Nanosecond})
	_, err := s.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: "projects/test/datasets/d/tables/t/streams/_default"})
	wantCode(t, err, codes.Unauthenticated, 0)
}

// TestInvalidAssertionsAreRefused: what the token endpoint takes, and what it says of the rest.
func TestInvalidAssertionsAreRefused(t *testing.T) {
	s := newSecured(t, bigquerytest.Config{})
	encoded, err := s.server.Credentials()
	must(t, err)
	var account struct {
		PrivateKey   string `json:"private_key"`
		PrivateKeyID string `json:"private_key_id"`
		Email        string `json:"client_email"`
		TokenURI     string `json:"token_uri"`
	}
	must(t, json.Unmarshal(encoded, &account))
	block, _ := pem.Decode([]byte(account.PrivateKey))
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(t, err)
	key := parsed.(*rsa.PrivateKey)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	now := time.Now()
	sound := func() jwt.MapClaims {
		return jwt.MapClaims{"iss": account.Email, "scope": scope, "aud": account.TokenURI, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	}
	changed := func(name string, value any) jwt.MapClaims {
		claims := sound()
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
		return claims
	}
	sign := func(claims jwt.MapClaims, by *rsa.PrivateKey) string {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
		token.Header["kid"] = account.PrivateKeyID
		signed, err := token.SignedString(by)
		must(t, err)
		return signed
	}
	weak := jwt.NewWithClaims(jwt.SigningMethodHS256, sound())
	weakly, err := weak.SignedString([]byte(account.PrivateKeyID))
	must(t, err)
	const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	for _, c := range []struct{ name, grant, assertion, refused string }{
		{"sound", grant, sign(sound(), key), ""},
		{"another grant type", "password", sign(sound(), key), "unsupported_grant_type"},
		{"another's key", grant, sign(sound(), other), "invalid_grant"},
		{"a symmetric signature", grant, weakly, "invalid_grant"},
		{"no assertion", grant, "", "invalid_grant"},
		{"expired", grant, sign(changed("exp", now.Add(-time.Hour).Unix()), key), "invalid_grant"},
		{"without an end", grant, sign(changed("exp", nil), key), "invalid_grant"},
		{"without a beginning", grant, sign(changed("iat", nil), key), "invalid_grant"},
		{"longer than an hour", grant, sign(changed("exp", now.Add(2*time.Hour).Unix()), key), "invalid_grant"},
		{"from the future", grant, sign(changed("iat", now.Add(time.Hour).Unix()), key), "invalid_grant"},
		{"for another audience", grant, sign(changed("aud", "https://oauth2.googleapis.com/token"), key), "invalid_grant"},
		{"of another account", grant, sign(changed("iss", "nobody@test.iam.gserviceaccount.com"), key), "invalid_grant"},
		{"another scope", grant, sign(changed("scope", "https://www.googleapis.com/auth/drive"), key), "invalid_scope"},
		{"no scope", grant, sign(changed("scope", nil), key), "invalid_scope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			response, err := s.http.PostForm(account.TokenURI, url.Values{"grant_type": {c.grant}, "assertion": {c.assertion}})
			must(t, err)
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			must(t, err)
			var said struct {
				Error, AccessToken string
			}
			must(t, json.Unmarshal([]byte(strings.ReplaceAll(string(body), "access_token", "AccessToken")), &said))
			if said.Error != c.refused || (said.AccessToken == "") != (c.refused != "") || (response.StatusCode == http.StatusOK) != (c.refused == "") {
				t.Errorf("status %d, %s", response.StatusCode, body)
			}
		})
	}
}

func TestTokenEndpointFaults(t *testing.T) {
	s := newSecured(t, bigquerytest.Config{})
	s.server.Order(bigquerytest.Fault{Kind: bigquerytest.Unavailable, Method: bigquerytest.Token, Calls: 1})
	if _, err := s.tokens.Token(); err == nil {
		t.Error("a token was issued")
	}
	_, err := s.tokens.Token()
	must(t, err)
}
