package bigquerytest

import (
	"fmt"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// refuse is a status that names its entity, as those of the service do.
func refuse(code codes.Code, entity, format string, args ...any) *status.Status {
	return status.New(code, fmt.Sprintf(format, args...)+" Entity: "+entity)
}

// storageError is a status with the service's own error code in its details.
func storageError(code codes.Code, storage storagepb.StorageError_StorageErrorCode, entity, format string, args ...any) *status.Status {
	st := refuse(code, entity, format, args...)
	return detailed(st, &storagepb.StorageError{Code: storage, Entity: entity, ErrorMessage: fmt.Sprintf(format, args...)})
}

func detailed(st *status.Status, detail protoadapt.MessageV1) *status.Status {
	with, err := st.WithDetails(detail)
	if err != nil {
		return st // only an OK status or a message that does not encode cannot take details
	}
	return with
}

func tableNotFound(table string) *status.Status {
	return storageError(codes.NotFound, storagepb.StorageError_TABLE_NOT_FOUND, table, "Requested entity was not found.")
}

func streamNotFound(stream string) *status.Status {
	return storageError(codes.NotFound, storagepb.StorageError_STREAM_NOT_FOUND, stream, "Requested entity was not found.")
}

func streamFinalized(stream string) *status.Status {
	return storageError(codes.InvalidArgument, storagepb.StorageError_STREAM_FINALIZED, stream, "Stream has been finalized and cannot be appended.")
}

// faultStatus is the status that a fault of a kind gives; nil for a kind that
// gives none.
func faultStatus(f *Fault, m Method, entity string) *status.Status {
	switch f.Kind {
	case QuotaExceeded:
		return retryable(refuse(codes.ResourceExhausted, entity, "Quota exceeded: Your project exceeded quota for %s requests.", m), f.Delay)
	case RateLimited:
		return retryable(refuse(codes.ResourceExhausted, entity, "Exceeds 'AppendRows throughput' quota, user_id: project0000 (status: INSUFFICIENT_TOKENS)."), f.Delay)
	case PermissionDenied:
		return refuse(codes.PermissionDenied, entity, "Permission '%s' denied on resource '%s' (or it may not exist).", m.permission(), entity)
	case Unavailable, Hang, CloseAfterCommit:
		return refuse(codes.Unavailable, entity, "The service is currently unavailable.")
	case InternalError:
		return refuse(codes.Internal, entity, "Internal error encountered.")
	case Unauthenticated:
		return unauthenticated()
	case StreamGone:
		return streamNotFound(entity)
	default:
		return nil
	}
}

func unauthenticated() *status.Status {
	return status.New(codes.Unauthenticated, "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.")
}

func retryable(st *status.Status, after time.Duration) *status.Status {
	return detailed(st, protoadapt.MessageV1Of(&errdetails.RetryInfo{RetryDelay: durationpb.New(after)}))
}
