package journal

import "errors"

// Errors of Append and Publish. ErrFull and ErrUnavailable carry how long
// to wait (fault.RetryAfter); ErrTooLarge and ErrFenced are fault.Permanent.
var (
	// ErrFull means that the stream is at its bound or the disk below MinFree.
	// Nothing was stored. It works again when readers catch up or space is freed.
	ErrFull = errors.New("journal is full")
	// ErrUnavailable means that the data could not be stored in time. It may have
	// been stored all the same.
	ErrUnavailable = errors.New("journal is unavailable")
	// ErrTooLarge means that the data does not fit in one message.
	ErrTooLarge = errors.New("too large for one journal message")
	// ErrClosed means that the journal is shutting down. Nothing was stored.
	ErrClosed = errors.New("journal is closed")
	// ErrFenced means that the lane's last message is not the one that the
	// publisher knows: another process publishes for the lane. Nothing was stored.
	ErrFenced = errors.New("another writer published for the lane")
)

// Errors of reading.
var (
	// ErrGone means that the message was trimmed or is damaged.
	ErrGone = errors.New("message is gone")
	// ErrAhead means that a position lies beyond the end of the stream: it
	// belongs to another journal, or the end of this one was lost.
	ErrAhead = errors.New("position is beyond the end of the stream")
	// ErrEpochChanged means that the stream was made anew while it was read.
	ErrEpochChanged = errors.New("the stream was replaced by a new one")
)

// ErrFatal is what Run returns when the embedded server could not be restarted.
// The process should end, so that its supervisor starts another.
var ErrFatal = errors.New("journal server cannot be restarted")
