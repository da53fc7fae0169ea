package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"golang.org/x/sync/singleflight"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const (
	// early is how long before it expires a token is renewed. The old one is still
	// used if that fails.
	early = 5 * time.Minute
	// margin is how long before it expires a token is no longer used: a request may
	// take that long to arrive.
	margin = 30 * time.Second
	// fetchTimeout bounds one request for a token.
	fetchTimeout = 20 * time.Second
)

// backoff is the pause after a request that failed: about 45 seconds once it has
// grown.
func backoff() retry.Backoff { return retry.Backoff{Min: time.Second, Max: 90 * time.Second} }

// BigQueryScope is the OAuth scope of BigQuery's APIs, the Storage API among them.
const BigQueryScope = "https://www.googleapis.com/auth/bigquery"

// Google returns a source of tokens for a scope of Google's APIs: for the service account
// whose key is given as JSON or, if key is "", by Application Default Credentials.
func Google(ctx context.Context, key, scope string) (oauth2.TokenSource, error) {
	if key == "" {
		found, err := google.FindDefaultCredentials(ctx, scope)
		if err != nil { // err may quote the file
			return nil, fault.Permanent(errors.New("find Application Default Credentials: there are none that can be read: " +
				"give warehouse.credentials, set GOOGLE_APPLICATION_CREDENTIALS, or run where a service account is attached"))
		}
		return found.TokenSource, nil
	}
	account, err := ParseServiceAccount([]byte(key))
	if err != nil {
		return nil, err
	}
	return NewSource(account, nil, scope)
}

// Source gives the access tokens of a service account. It is an
// oauth2.TokenSource and safe for concurrent use.
type Source struct {
	account ServiceAccount
	scope   string
	client  *http.Client
	flight  singleflight.Group

	mu       sync.Mutex
	token    func() *oauth2.Token // nil for none; a function, so that fmt cannot print it
	rejected bool                 // Renew was called: the token is no longer used
	failures int
	retryAt  time.Time
	lastErr  error
}

var _ oauth2.TokenSource = (*Source)(nil)

// NewSource returns a source of tokens for a scope. It makes no request. If
// client is nil, it uses one that has a time-out and follows no redirects.
func NewSource(account ServiceAccount, client *http.Client, scope string) (*Source, error) {
	if account.key == nil {
		return nil, fault.Permanent(errors.New("new token source: the service account is empty"))
	}
	if client == nil {
		client = &http.Client{
			Timeout:       fetchTimeout,
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Source{account: account, scope: scope, client: client}, nil
}

// Token returns a token that is valid for at least half a minute. An error is
// permanent if the endpoint refuses the key itself. Any other error is temporary,
// and says how long to wait (fault.RetryAfter).
func (s *Source) Token() (*oauth2.Token, error) {
	token, state, err := s.current()
	if state == fresh || state == pausing && token != nil {
		return token, nil
	}
	if state == pausing {
		return nil, err
	}
	_, err, _ = s.flight.Do("", func() (any, error) { return nil, s.renew() })
	if renewed, state, _ := s.current(); renewed != nil && (err == nil || state != stale) {
		return renewed, nil
	}
	if err == nil {
		err = errors.New("get access token: the token has expired already: check this machine's clock")
	}
	return nil, err
}

// Renew discards the current token: a server did not accept it.
func (s *Source) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = true
}

// state is what a Source should do next.
type state int

const (
	stale   state = iota // fetch a token
	fresh                // use the token
	pausing              // wait: the endpoint failed recently
)

// current returns the token if it may still be used, the state, and if that is
// pausing, the last error with the time to wait.
func (s *Source) current() (*oauth2.Token, state, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var usable *oauth2.Token
	if s.token != nil && !s.rejected {
		if t := s.token(); now.Before(t.Expiry.Add(-margin)) {
			usable = t
			if now.Before(t.Expiry.Add(-early)) {
				return t, fresh, nil
			}
		}
	}
	if wait := s.retryAt.Sub(now); wait > 0 {
		return usable, pausing, fault.After(s.lastErr, wait)
	}
	return usable, stale, nil
}

// renew fetches a token, or records when to try again.
func (s *Source) renew() error {
	if _, state, err := s.current(); state != stale {
		return err // another caller has just renewed it, or failed to
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	token, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failures++
		wait := backoff().Delay(s.failures, err)
		s.retryAt, s.lastErr = time.Now().Add(wait), fmt.Errorf("get access token: %w", err)
		return fault.After(s.lastErr, wait)
	}
	s.token, s.rejected, s.failures, s.retryAt, s.lastErr = func() *oauth2.Token { return token }, false, 0, time.Time{}, nil
	return nil
}

// String names the account: a source prints neither key nor token.
func (s *Source) String() string { return "token source of " + s.account.String() }
