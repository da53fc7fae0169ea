package bigquery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// What an error of BigQuery means. Errors wrap one of these; any other passes.
var (
	// ErrQuota says that a quota or rate limit is exceeded. The error carries
	// how long to wait at least.
	ErrQuota = errors.New("over a quota of BigQuery")
	// ErrPermission says that a permission is missing. Trying again helps only
	// once somebody has granted it; the error is permanent.
	ErrPermission = errors.New("BigQuery denies permission")
	// ErrUnauthenticated says that BigQuery did not take the access token.
	ErrUnauthenticated = errors.New("BigQuery does not accept the access token")
)

// What to wait after a quota was exceeded: at least quotaPause, for the shortest
// of BigQuery's quotas count by the second and by ten seconds; what BigQuery
// asks for, up to longestPause.
const (
	quotaPause   = 2 * time.Second
	longestPause = 5 * time.Minute
)

// roles is what to grant.
const roles = "grant the service account roles/bigquery.dataEditor on the dataset and roles/bigquery.jobUser on the project"

// What to do where it is not a role that is missing.
const (
	enableBilling = "enable billing for the project"
	enableAPIs    = "enable the BigQuery API and the BigQuery Storage API in the project"
)

// advice is what to do about a denial. The REST API names its reason; the Storage
// API does, in the details, for what is wrong with a project.
func advice(err error) string {
	var reasons []string
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		for _, item := range answer.Errors {
			reasons = append(reasons, item.Reason)
		}
	}
	var told interface{ GRPCStatus() *status.Status }
	if errors.As(err, &told) {
		for _, detail := range told.GRPCStatus().Details() {
			if info, ok := detail.(interface{ GetReason() string }); ok {
				reasons = append(reasons, info.GetReason())
			}
		}
	}
	for _, reason := range reasons {
		switch reason {
		case "billingNotEnabled", "BILLING_DISABLED":
			return enableBilling
		case "accessNotConfigured", "SERVICE_DISABLED":
			return enableAPIs
		}
	}
	if strings.Contains(err.Error(), "free tier") { // streams and DML without billing
		return enableBilling
	}
	return roles
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
	var told interface{ GRPCStatus() *status.Status }
	if errors.As(err, &told) {
		for _, detail := range told.GRPCStatus().Details() {
			if info, ok := detail.(interface{ GetRetryDelay() *durationpb.Duration }); ok {
				return info.GetRetryDelay().AsDuration()
			}
		}
	}
	return 0
}

// kind is the gRPC code of an error, of one of the REST API the code that
// stands for it.
func kind(err error) codes.Code {
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		return restKind(answer)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return codes.DeadlineExceeded
	}
	var told interface{ GRPCStatus() *status.Status }
	if errors.As(err, &told) {
		return told.GRPCStatus().Code()
	}
	return codes.Unknown
}

func restKind(answer *googleapi.Error) codes.Code {
	for _, item := range answer.Errors {
		switch item.Reason {
		case "rateLimitExceeded", "quotaExceeded", "jobRateLimitExceeded":
			return codes.ResourceExhausted
		}
	}
	switch answer.Code {
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusConflict:
		return codes.AlreadyExists
	case http.StatusPreconditionFailed:
		return codes.FailedPrecondition
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusBadRequest:
		return codes.InvalidArgument
	default:
		return codes.Unavailable
	}
}

// storageCode is the code that the Storage API gives in an error's details.
func storageCode(err error) storagepb.StorageError_StorageErrorCode {
	var told interface{ GRPCStatus() *status.Status }
	if errors.As(err, &told) {
		for _, detail := range told.GRPCStatus().Details() {
			if e, ok := detail.(*storagepb.StorageError); ok {
				return e.GetCode()
			}
		}
	}
	return storagepb.StorageError_STORAGE_ERROR_CODE_UNSPECIFIED
}

// gone reports whether a stream or its table is no more, or takes no rows.
func gone(err error) bool {
	switch storageCode(err) {
	case storagepb.StorageError_TABLE_NOT_FOUND, storagepb.StorageError_STREAM_NOT_FOUND, storagepb.StorageError_STREAM_FINALIZED,
		storagepb.StorageError_INVALID_STREAM_STATE, storagepb.StorageError_INVALID_STREAM_TYPE:
		return true
	}
	return kind(err) == codes.NotFound
}

// missing reports whether a table may be no more. Of one that it does not find,
// the Storage API also says that permission is denied "(or it may not exist)".
func missing(err error) bool { return gone(err) || errors.Is(err, ErrPermission) }

// misfit reports whether the rows do not fit the table's schema.
func misfit(err error) bool {
	return storageCode(err) == storagepb.StorageError_SCHEMA_MISMATCH_EXTRA_FIELDS
}
