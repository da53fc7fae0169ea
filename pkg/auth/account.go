package auth

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/loopback"
)

// ServiceAccount is the content of the JSON file of a service account's key. It
// prints as its e-mail address.
type ServiceAccount struct {
	email    string
	keyID    string
	tokenURI string
	key      func() *rsa.PrivateKey // a function, so that fmt cannot print the key
}

// defaultTokenURI is Google's token endpoint.
const defaultTokenURI = "https://oauth2.googleapis.com/token"

// maxKeyFile bounds the JSON of a key, in bytes: a real one has about 2,400.
const maxKeyFile = 64 << 10

// ParseServiceAccount reads the JSON of a service account's key. Its errors are
// permanent, say what to do, and repeat nothing of the text.
func ParseServiceAccount(text []byte) (account ServiceAccount, err error) {
	defer func() {
		if err != nil {
			err = fault.Permanent(fmt.Errorf("read service account's key: %w", err))
		}
	}()
	var file struct {
		Type     string `json:"type"`
		Email    string `json:"client_email"`
		Key      string `json:"private_key"`
		KeyID    string `json:"private_key_id"`
		TokenURI string `json:"token_uri"`
	}
	if len(text) > maxKeyFile {
		return account, errors.New("it is too long: use the JSON file that Google Cloud made")
	}
	if err := json.Unmarshal(text, &file); err != nil { // err may quote the text
		return account, errors.New("it is no JSON: use the JSON file that Google Cloud made")
	}
	switch {
	case file.Type != "service_account":
		return account, errors.New(`its type is not "service_account": make a key of a service account, or leave credentials out to use Application Default Credentials`)
	case file.Email == "" || file.Key == "":
		return account, errors.New("client_email or private_key is missing: use the whole JSON file that Google Cloud made")
	}
	if file.TokenURI == "" {
		file.TokenURI = defaultTokenURI
	}
	if err := checkTokenURI(file.TokenURI); err != nil {
		return account, err
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(file.Key))
	if err != nil { // err may quote the key
		return account, errors.New("private_key is no RSA key in PEM form: use the JSON file as it is")
	}
	return ServiceAccount{email: file.Email, keyID: file.KeyID, tokenURI: file.TokenURI, key: func() *rsa.PrivateKey { return key }}, nil
}

func checkTokenURI(uri string) error {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("token_uri is no URL: use the JSON file as it is")
	}
	switch {
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback.IsHost(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("token_uri at %s is not https: a key's signature must not travel in the open", u.Host)
	}
}

// Email is the account's address: its name, no secret.
func (a ServiceAccount) Email() string { return a.email }

// String is the e-mail address.
func (a ServiceAccount) String() string { return strings.TrimSpace(a.email) }
