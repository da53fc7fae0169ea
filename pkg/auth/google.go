package auth

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// BigQueryScope is the OAuth scope of BigQuery's APIs, the Storage API among them.
const BigQueryScope = "https://www.googleapis.com/auth/bigquery"

// Google returns a source of tokens for Google's APIs: for the service account
// whose key is given as JSON or, if key is "", by Application Default Credentials.
func Google(ctx context.Context, key string, scopes ...string) (oauth2.TokenSource, error) {
	if key == "" {
		return defaultCredentials(ctx, scopes)
	}
	account, err := ParseServiceAccount([]byte(key))
	if err != nil {
		return nil, err
	}
	return NewSource(account, nil, scopes...)
}

func defaultCredentials(ctx context.Context, scopes []string) (oauth2.TokenSource, error) {
	found, err := google.FindDefaultCredentials(ctx, scopes...)
	if err != nil { // err may quote the file
		return nil, fault.Permanent(fmt.Errorf("find Application Default Credentials: %w", errNoDefault))
	}
	return found.TokenSource, nil
}

var errNoDefault = errors.New("there are none that can be read: give warehouse.credentials, set GOOGLE_APPLICATION_CREDENTIALS, or run where a service account is attached")
