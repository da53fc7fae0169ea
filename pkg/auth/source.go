package auth

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

const (
	// early is how long before its end a token is renewed, while it still serves.
	early = 5 * time.Minute
	// margin is how long before its end a token serves no more: the time a
	// request may take on its way.
	margin = 30 * time.Second
	// fetchTimeout bounds one exchange.
	fetchTimeout = 20 * time.Second
	// The first and the longest pause after an exchange that failed.
	firstPause   = time.Second
	longestPause = time.Minute
)

// Source gives the access tokens of a service account. It is an
// oauth2.TokenSource and safe for concurrent use.
type Source struct {
	account ServiceAccount
	scopes  []string
	client  *http.Client
	flight  singleflight.Group

	mu       sync.Mutex
	token    func() *oauth2.Token // nil for none; a function, so that fmt cannot print it
	renewed  bool                 // Renew was called: the token serves no more
	failures int
	retryAt  time.Time
	lastErr  error
}

var _ oauth2.TokenSource = (*Source)(nil)

// NewSource returns a source of tokens for the scopes. It does no call. client
// nil means one with limits, which follows no redirect.
func NewSource(account ServiceAccount, client *http.Client, scopes ...string) (*Source, error) {
	if account.key == nil {
		return nil, fault.Permanent(errors.New("new token source: the service account is empty"))
	}
	if len(scopes) == 0 {
		return nil, fault.Permanent(errors.New("new token source: a scope is needed"))
	}
	if client == nil {
		client = &http.Client{
			Timeout:       fetchTimeout,
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Source{account: account, scopes: scopes, client: client}, nil
}

// Token returns a token that is good for half a minute at least. An error is
// permanent when the endpoint says that the key itself is refused; any other
// passes, and carries how long to wait.
func (s *Source) Token() (*oauth2.Token, error) {
	current, state, err := s.look()
	switch state {
	case fresh:
		return current, nil
	case pausing:
		if current != nil {
			return current, nil
		}
		return nil, err
	}
	_, err, _ = s.flight.Do("", func() (any, error) { return nil, s.renew() })
	if renewed, state, _ := s.look(); renewed != nil && (err == nil || state != stale) {
		return renewed, nil
	}
	if err == nil {
		err = errors.New("get access token: the token has expired already: check this machine's clock")
	}
	return nil, err
}

// Renew throws the present token away, because a server did not accept it.
func (s *Source) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed = true
}

// condition of what a source has.
type condition int

const (
	stale   condition = iota // it is time to fetch a token
	fresh                    // the token serves
	pausing                  // the endpoint failed lately
)

// look returns the token if it still serves, and what to do.
func (s *Source) look() (*oauth2.Token, condition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var serves *oauth2.Token
	if s.token != nil && !s.renewed {
		if t := s.token(); now.Before(t.Expiry.Add(-margin)) {
			serves = t
			if now.Before(t.Expiry.Add(-early)) {
				return t, fresh, nil
			}
		}
	}
	if wait := s.retryAt.Sub(now); wait > 0 {
		return serves, pausing, fault.After(s.lastErr, wait)
	}
	return serves, stale, nil
}

// renew fetches a token, or notes when to try again.
func (s *Source) renew() error {
	if _, state, err := s.look(); state != stale {
		return err // another caller's turn has just ended
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	token, err := s.exchange(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failures++
		wait := min(firstPause<<min(s.failures-1, 10), longestPause)
		wait = wait/2 + rand.N(wait/2+1)
		if least, told := fault.RetryAfter(err); told {
			wait = max(wait, min(least, 10*longestPause))
		}
		s.retryAt, s.lastErr = time.Now().Add(wait), fmt.Errorf("get access token: %w", err)
		return fault.After(s.lastErr, wait)
	}
	s.token, s.renewed, s.failures, s.retryAt, s.lastErr = func() *oauth2.Token { return token }, false, 0, time.Time{}, nil
	return nil
}

// String names the account: a source prints neither key nor token.
func (s *Source) String() string { return "token source of " + s.account.String() }
