package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

const (
	// grant is the type of RFC 7523.
	grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	// assertionLife is how long an assertion is valid. Google allows an hour.
	assertionLife = 10 * time.Minute
	// backdated is subtracted from the time of issue, in case this clock is ahead of
	// the endpoint's.
	backdated = 10 * time.Second
	// maxAnswer bounds the endpoint's answer, in bytes.
	maxAnswer = 64 << 10
	// maxLife bounds a token's lifetime, whatever the endpoint says.
	maxLife = 12 * time.Hour
	// maxRetryAfter bounds how long the endpoint may ask to wait.
	maxRetryAfter = 10 * time.Minute
)

// fetch asks the endpoint for a token, with a signed assertion.
func (s *Source) fetch(ctx context.Context) (*oauth2.Token, error) {
	assertion, err := s.assertion(time.Now())
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {grant}, "assertion": {assertion}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.account.tokenURI, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("token_uri is no URL")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asked := time.Now()
	response, err := s.client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the URL
		}
		return nil, fmt.Errorf("reach token endpoint at %s: %w", request.URL.Host, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read token endpoint's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, s.refused(response, body)
	}
	return readToken(body, asked)
}

// assertion is the signed statement that the caller is the account.
func (s *Source) assertion(at time.Time) (string, error) {
	at = at.Add(-backdated)
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": s.account.email, "scope": s.scope, "aud": s.account.tokenURI,
		"iat": at.Unix(), "exp": at.Add(assertionLife).Unix(),
	})
	if s.account.keyID != "" {
		token.Header["kid"] = s.account.keyID
	}
	signed, err := token.SignedString(s.account.key())
	if err != nil {
		return "", fault.Permanent(errors.New("sign with the service account's key: the key is unusable"))
	}
	return signed, nil
}

func readToken(body []byte, asked time.Time) (*oauth2.Token, error) {
	var answer struct {
		Token string  `json:"access_token"`
		Type  string  `json:"token_type"`
		Life  float64 `json:"expires_in"` // seconds
	}
	if len(body) > maxAnswer || json.Unmarshal(body, &answer) != nil { // the error may quote the token
		return nil, errors.New("the token endpoint's answer is not what RFC 6749 says")
	}
	life := time.Duration(min(answer.Life, maxLife.Seconds()) * float64(time.Second))
	if answer.Token == "" || !strings.EqualFold(answer.Type, "Bearer") || life <= 0 {
		return nil, errors.New("the token endpoint's answer lacks a bearer token with a life")
	}
	return &oauth2.Token{AccessToken: answer.Token, TokenType: "Bearer", Expiry: asked.Add(life)}, nil
}

// refused is the error for an answer without a token. It repeats only the answer's
// error code, and only one of RFC 6749's.
func (s *Source) refused(response *http.Response, body []byte) error {
	var answer struct {
		Code string `json:"error"`
	}
	_ = json.Unmarshal(body, &answer) // without a code the status says enough
	switch answer.Code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "access_denied", "deleted_client":
	default:
		answer.Code = ""
	}
	err := errors.New(strings.TrimSpace(fmt.Sprintf("the token endpoint answered %d %s", response.StatusCode, answer.Code)))
	if seconds, parseErr := strconv.Atoi(response.Header.Get("Retry-After")); parseErr == nil && seconds > 0 {
		err = fault.After(err, time.Duration(min(seconds, int(maxRetryAfter.Seconds())))*time.Second)
	}
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return fault.Permanent(fmt.Errorf("%w: the key of %s is refused: check that it is not deleted or disabled, and this machine's clock", err, s.account.email))
	}
	return err
}
