package bigquery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// What an error of BigQuery means. An error that wraps none of these is expected
// to pass by itself.
var (
	// ErrQuota says that a quota or rate limit is exceeded. The error carries
	// how long to wait at least.
	ErrQuota = errors.New("over a quota of BigQuery")
	// ErrPermission says that a permission is missing. The error is permanent:
	// it stays until somebody grants the permission.
	ErrPermission = errors.New("BigQuery denies permission")
	// ErrUnauthenticated says that BigQuery did not accept the access token.
	ErrUnauthenticated = errors.New("BigQuery does not accept the access token")
)

// How long to wait after a quota was exceeded: as long as BigQuery asks, but at
// least quotaPause (its shortest quotas count by the second and by ten seconds)
// and at most longestPause.
const (
	quotaPause   = 2 * time.Second
	longestPause = 5 * time.Minute
)

// What to do about a denial.
const (
	grantRoles    = "grant the service account roles/bigquery.dataEditor on the dataset and roles/bigquery.jobUser on the project"
	enableBilling = "enable billing for the project"
	enableAPIs    = "enable the BigQuery API and the BigQuery Storage API in the project"
)

// grpcStatus is the gRPC status within err; nil for none.
func grpcStatus(err error) *status.Status {
	var answer interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &answer) {
		return nil
	}
	return answer.GRPCStatus()
}

// detail is the first detail of type T in the gRPC status within err.
func detail[T any](err error) (found T, ok bool) {
	for _, d := range grpcStatus(err).Details() {
		if found, ok = d.(T); ok {
			break
		}
	}
	return found, ok
}

// hasReason reports whether BigQuery gives one of these reasons for an error. The
// REST API always names one, the Storage API only for a problem of the project (in
// the details).
func hasReason(err error, reasons ...string) bool {
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		return slices.ContainsFunc(answer.Errors, func(item googleapi.ErrorItem) bool { return slices.Contains(reasons, item.Reason) })
	}
	info, found := detail[interface{ GetReason() string }](err)
	return found && slices.Contains(reasons, info.GetReason())
}

// advice is what to do about a denial. Streams and DML without billing are denied
// with "free tier" in the text.
func advice(err error) string {
	switch {
	case hasReason(err, "billingNotEnabled", "BILLING_DISABLED"), strings.Contains(err.Error(), "free tier"):
		return enableBilling
	case hasReason(err, "accessNotConfigured", "SERVICE_DISABLED"):
		return enableAPIs
	}
	return grantRoles
}

// judged wraps an error of BigQuery with what it means.
func judged(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, ErrQuota) || errors.Is(err, ErrPermission) || errors.Is(err, ErrUnauthenticated) {
		return err
	}
	switch kind(err) {
	case codes.ResourceExhausted:
		return fault.After(fmt.Errorf("%w: %w", ErrQuota, err), min(max(askedPause(err), quotaPause), longestPause))
	case codes.PermissionDenied:
		return fault.Permanent(fmt.Errorf("%w: %s: %w", ErrPermission, advice(err), err))
	case codes.Unauthenticated:
		return fmt.Errorf("%w: %w", ErrUnauthenticated, err)
	default:
		return err
	}
}

// askedPause is how long BigQuery asks to wait, 0 if it does not say.
func askedPause(err error) time.Duration {
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // 0 for none, and for a date
		return time.Duration(min(max(seconds, 0), int(longestPause.Seconds()))) * time.Second
	}
	if info, found := detail[interface{ GetRetryDelay() *durationpb.Duration }](err); found {
		return info.GetRetryDelay().AsDuration()
	}
	return 0
}

// kind is the gRPC code of an error. Errors of the REST API get the code that
// corresponds.
func kind(err error) codes.Code {
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		if hasReason(err, "rateLimitExceeded", "quotaExceeded", "jobRateLimitExceeded") {
			return codes.ResourceExhausted
		}
		if code, found := restCodes[answer.Code]; found {
			return code
		}
		return codes.Unavailable
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return codes.DeadlineExceeded
	}
	if answer := grpcStatus(err); answer != nil {
		return answer.Code()
	}
	return codes.Unknown
}

var restCodes = map[int]codes.Code{
	http.StatusBadRequest: codes.InvalidArgument, http.StatusUnauthorized: codes.Unauthenticated, http.StatusForbidden: codes.PermissionDenied,
	http.StatusNotFound: codes.NotFound, http.StatusConflict: codes.AlreadyExists, http.StatusPreconditionFailed: codes.FailedPrecondition,
	http.StatusTooManyRequests: codes.ResourceExhausted,
}

// storageCode is the code that the Storage API gives in an error's details.
func storageCode(err error) storagepb.StorageError_StorageErrorCode {
	found, _ := detail[*storagepb.StorageError](err)
	return found.GetCode()
}

// gone reports whether a stream or its table does not exist, or takes no rows.
func gone(err error) bool {
	switch storageCode(err) {
	case storagepb.StorageError_TABLE_NOT_FOUND, storagepb.StorageError_STREAM_NOT_FOUND, storagepb.StorageError_STREAM_FINALIZED,
		storagepb.StorageError_INVALID_STREAM_STATE, storagepb.StorageError_INVALID_STREAM_TYPE:
		return true
	}
	return kind(err) == codes.NotFound
}

// missing reports whether a table may be missing. The Storage API may also answer
// that permission is denied "(or it may not exist)" then.
func missing(err error) bool { return gone(err) || errors.Is(err, ErrPermission) }

// misfit reports whether the rows do not fit the table's schema.
func misfit(err error) bool {
	return storageCode(err) == storagepb.StorageError_SCHEMA_MISMATCH_EXTRA_FIELDS
}
