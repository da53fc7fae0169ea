package bigquery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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

// quotaPause is the least to wait after a quota was exceeded: the shortest of
// BigQuery's quotas count by the second and by ten seconds.
const quotaPause = 2 * time.Second

// roles is what to grant.
const roles = "grant the service account roles/bigquery.dataEditor on the dataset and roles/bigquery.jobUser on the project"

// judged wraps an error of BigQuery with what it means.
func judged(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, ErrQuota) || errors.Is(err, ErrPermission) || errors.Is(err, ErrUnauthenticated) {
		return err
	}
	switch kind(err) {
	case codes.ResourceExhausted:
		return fault.After(fmt.Errorf("%w: %w", ErrQuota, err), quotaPause)
	case codes.PermissionDenied:
		return fault.Permanent(fmt.Errorf("%w: %s: %w", ErrPermission, roles, err))
	case codes.Unauthenticated:
		return fmt.Errorf("%w: %w", ErrUnauthenticated, err)
	default:
		return err
	}
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

// misfit reports whether the rows do not fit the table's schema.
func misfit(err error) bool {
	return storageCode(err) == storagepb.StorageError_SCHEMA_MISMATCH_EXTRA_FIELDS
}
