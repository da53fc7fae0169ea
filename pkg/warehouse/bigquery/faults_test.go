package bigquery_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/googleapi"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sparrow-edge/sparrow/pkg/auth"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// TestLoadingGoesOnAfterBigQueryWasAway: BigQuery is away when loading starts, and again later for a while.
// Load says so in time, and goes on when it is back.
func TestLoadingGoesOnAfterBigQueryWasAway(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	server.Away()
	w := strict(t, server, func(c *bigquery.Config) { c.Timeout = time.Second })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := w.Load(ctx, messages(t, 1, 4)); err == nil || fault.IsPermanent(err) {
		t.Fatalf("away: error %v, want one that passes", err)
	}
	server.Back()
	persist(t, w, messages(t, 1, 4))
	server.Away()
	if err := w.Load(t.Context(), messages(t, 4, 6)); err == nil {
		t.Fatal("away: no error")
	}
	server.Back()
	persist(t, w, messages(t, 4, 6))
	checkRows(t, server, 6)
}

// TestSlowAnswersOnlyDelayLoading: late answers delay loading, and nothing else.
func TestSlowAnswersOnlyDelayLoading(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	server.Order(bigquerytest.Fault{Kind: bigquerytest.Slow, Method: bigquerytest.AppendRows, Delay: 100 * time.Millisecond})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 200))
	persist(t, w, messages(t, 200, 300))
	checkRows(t, server, 300)
}

// TestHangingAppendEndsWithTheTimeout: an append that is never answered ends with the time limit, and the
// rows are stored once.
func TestHangingAppendEndsWithTheTimeout(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, func(c *bigquery.Config) { c.Timeout = time.Second })
	persist(t, w, messages(t, 1, 3))
	server.Order(bigquerytest.Fault{Kind: bigquerytest.Hang, Method: bigquerytest.AppendRows, Calls: 1})
	failures := persist(t, w, messages(t, 3, 6))
	if len(failures) == 0 {
		t.Error("nothing hung")
	}
	checkRows(t, server, 6)
}

// TestExceededQuotaSaysHowLongToWait: a while of exceeded quota says how long to wait, as BigQuery asks
// for it, and passes.
func TestExceededQuotaSaysHowLongToWait(t *testing.T) {
	for _, c := range []struct {
		method     bigquerytest.Method
		asked      time.Duration
		want, most time.Duration
	}{
		{bigquerytest.AppendRows, 0, 2 * time.Second, 5 * time.Minute},
		{bigquerytest.AppendRows, 17 * time.Second, 17 * time.Second, 17 * time.Second},
		{bigquerytest.AppendRows, 24 * time.Hour, 5 * time.Minute, 5 * time.Minute},
		{bigquerytest.CreateWriteStream, 9 * time.Second, 9 * time.Second, 9 * time.Second},
	} {
		t.Run(fmt.Sprintf("%s/%s", c.method, c.asked), func(t *testing.T) {
			t.Parallel()
			server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
			w := strict(t, server, nil)
			persist(t, w, messages(t, 1, 3))
			must(t, w.Close())
			w = strict(t, server, nil)
			order := server.Order(bigquerytest.Fault{Kind: bigquerytest.QuotaExceeded, Method: c.method, Delay: c.asked})
			err := w.Load(t.Context(), messages(t, 3, 6))
			if wait, asked := fault.RetryAfter(err); !errors.Is(err, bigquery.ErrQuota) || !asked || wait < c.want || wait > c.most || fault.IsPermanent(err) {
				t.Errorf("wait %s of error %v, want ErrQuota with %s to wait", wait, err, c.want)
			}
			order.Clear()
			persist(t, w, messages(t, 3, 6))
			checkRows(t, server, 6)
		})
	}
}

// TestMissingPermissionNamesItsRole: the error names the role that has a
// missing permission, and loading goes on once it is granted.
func TestMissingPermissionNamesItsRole(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 3))
	order := server.Order(bigquerytest.Fault{Kind: bigquerytest.PermissionDenied, Method: bigquerytest.AppendRows})
	err := w.Load(t.Context(), messages(t, 3, 6))
	if !errors.Is(err, bigquery.ErrPermission) || !fault.IsPermanent(err) || !strings.Contains(err.Error(), "roles/bigquery.dataEditor") {
		t.Errorf("error %v, want a permanent ErrPermission with the role", err)
	}
	order.Clear()
	persist(t, w, messages(t, 3, 6))
	checkRows(t, server, 6)
}

// TestDenialsNameBillingAndAPIs: a denial for want of billing or of an API says so, instead of
// naming a role.
func TestDenialsNameBillingAndAPIs(t *testing.T) {
	detailed := func(reason string) error {
		st, err := status.New(codes.PermissionDenied, "denied").WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "googleapis.com"})
		must(t, err)
		return st.Err()
	}
	rest := func(reason, message string) error {
		return &googleapi.Error{Code: http.StatusForbidden, Message: message, Errors: []googleapi.ErrorItem{{Reason: reason, Message: message}}}
	}
	for _, denial := range []struct {
		err  error
		want string
	}{
		{rest("accessDenied", "Access Denied: Dataset p:sparrow"), "grant the service account roles/"},
		{rest("billingNotEnabled", "Billing has not been enabled for this project."), "enable billing"},
		{rest("accessDenied", "Access Denied: BigQuery BigQuery: Streaming insert is not allowed in the free tier"), "enable billing"},
		{rest("accessNotConfigured", "BigQuery API has not been used in project 1 before or it is disabled."), "enable the BigQuery API"},
		{detailed("SERVICE_DISABLED"), "enable the BigQuery API"},
		{detailed("BILLING_DISABLED"), "enable billing"},
		{detailed("IAM_PERMISSION_DENIED"), "grant the service account roles/"},
	} {
		err := bigquery.Judged(denial.err)
		if !errors.Is(err, bigquery.ErrPermission) || !fault.IsPermanent(err) || !strings.Contains(err.Error(), denial.want) {
			t.Errorf("%v: judged %v, want a permanent ErrPermission with %q", denial.err, err, denial.want)
		}
	}
}

// TestLoadingGoesOnWithANewToken: a key's tokens, over TLS, which end in the middle of loading.
func TestLoadingGoesOnWithANewToken(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{TLS: true})
	key, err := server.Credentials()
	must(t, err)
	account, err := auth.ParseServiceAccount(key)
	must(t, err)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.RootCAs(), MinVersion: tls.VersionTLS12}}}
	t.Cleanup(client.CloseIdleConnections)
	tokens, err := auth.NewSource(account, client, auth.BigQueryScope)
	must(t, err)
	config := bigquery.DefaultConfig()
	config.Project, config.Endpoint, config.StorageEndpoint = server.Project(), server.URL(), server.GRPCAddress()
	w, err := bigquery.Open(context.Background(), config, bigquery.Options{Tokens: tokens, RootCAs: server.RootCAs()})
	must(t, err)
	t.Cleanup(func() { _ = w.Close() })
	must(t, w.Prepare(t.Context()))
	persist(t, w, messages(t, 1, 4))
	server.ExpireTokens()
	failures := persist(t, w, messages(t, 4, 9))
	if len(failures) == 0 || !errors.Is(failures[0], bigquery.ErrUnauthenticated) {
		t.Errorf("failures %v, want first that the token is not accepted", failures)
	}
	checkRows(t, server, 9)
}
