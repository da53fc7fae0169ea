package segment

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Message is what the intake needs to know about a message.
type Message struct {
	EventID  string    // the messageId, or "" when there is none that keeps the contract
	SentAt   time.Time // the client's clock when it sent the message; zero when it does not say
	WriteKey string    // browser SDKs write it into the message; "" for none
}

// Inspect checks a message. kind is what the request's path says it is ("track",
// "page", ...); it counts where the message has no type of its own, and "" stands
// for a batch, whose messages must have one:
//
//   - a JSON object in valid UTF-8, without duplicate names, nested no deeper than
//     an event may be;
//   - type: track, page, screen, identify, group or alias;
//   - event, of a track: as event.Inspect has it;
//   - anonymousId or userId: one of them, of at most event.MaxID characters;
//   - messageId, optional: as event.Inspect has eventId.
//
// The error names the first rule that was broken, and is an *event.SyntaxError
// when the bytes are not one JSON value. A broken rule does not hide the Message.
func Inspect(data []byte, kind string) (Message, error) {
	broken := event.InspectObject(data)
	v, err := event.ParseValue(data, event.MaxDepth)
	if err != nil {
		if broken == nil {
			broken = err
		}
		return Message{}, broken
	}
	m := message{v.Fields}
	sentAt, _ := timeOf(m.get("sentAt"))
	found := Message{SentAt: sentAt, WriteKey: m.text("writeKey")}
	translated := m.translate(kind)
	eventID, err := event.Inspect(translated)
	if utf8.Valid(data) {
		found.EventID = eventID
	}
	switch {
	case broken != nil:
		return found, broken
	case m.kind(kind) == "":
		return found, errors.New("type: want track, page, screen, identify, group or alias")
	case err != nil:
		return found, renamed(err)
	}
	return found, nil
}

// renamed replaces the event's names in a broken rule by the message's.
func renamed(err error) error {
	member, what, _ := strings.Cut(err.Error(), ": ")
	switch member {
	case "deviceId":
		member = "anonymousId"
		if what == "required" {
			member = "anonymousId or userId"
		}
	case "eventId":
		member = "messageId"
	}
	return errors.New(member + ": " + what)
}
