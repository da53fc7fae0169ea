package event

import "time"

// MaxSkew is how far a client's clock may be off, either way, before its times are
// corrected, and how far a time may lie ahead of a later one.
const MaxSkew = 5 * time.Minute

// TimeFault is why the time that a client gave is not used as it is.
type TimeFault string

// The faults of a client's time. A clock that is off, but agrees with itself, is none:
// the time is corrected.
const (
	NoTimeFault TimeFault = ""
	// AfterSending is a time after the one at which the client says that it sent the
	// event, so that its clock says nothing: the time is not corrected.
	AfterSending TimeFault = "after it was sent"
	// AfterReceipt is a time after the receipt: the receipt counts.
	AfterReceipt TimeFault = "after its receipt"
)

// EventTime is when an event happened, in UTC, to the microsecond (the rest is
// cut off). client is the time the event gives, sentAt the client's clock when
// it sent the request; the zero time stands for neither given. The result is never
// more than MaxSkew after receivedAt. The first rule that applies counts:
//
//	client not given:                      receivedAt
//	|receivedAt - sentAt| > MaxSkew and
//	client <= sentAt + MaxSkew:            client + (receivedAt - sentAt)
//	client > receivedAt + MaxSkew:         receivedAt
//	otherwise:                             client
//
// The views of the warehouse repeat these rules in SQL.
func EventTime(client, receivedAt, sentAt time.Time) (time.Time, TimeFault) {
	t, fault := client, NoTimeFault
	skew := receivedAt.Sub(sentAt)
	switch {
	case client.IsZero():
		t = receivedAt
	case !sentAt.IsZero() && (skew > MaxSkew || skew < -MaxSkew):
		if client.After(sentAt.Add(MaxSkew)) {
			fault = AfterSending
		} else {
			t = client.Add(skew)
		}
	}
	if t.After(receivedAt.Add(MaxSkew)) {
		t, fault = receivedAt, AfterReceipt
	}
	return t.UTC().Truncate(time.Microsecond), fault
}
