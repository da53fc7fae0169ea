package trackertest

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

func maskedRequestsShowNoSecret(k *check) {
	k.batches(func(batch []event.Event) {
		requests, _ := k.tracker.Requests(batch)
		for _, req := range inOrder(requests) {
			k.secretIn("a masked URL (a secret belongs into the query, a header or the body)", tracker.MaskURL(req.URL))
			k.secretIn("a redacted body (name it in Traits.Secrets)", string(tracker.Redact(req.Body, k.traits.Secrets)))
			for name, values := range req.Header {
				shown := string(tracker.Redact([]byte(strings.Join(values, " ")), k.traits.Secrets))
				k.secretIn("the redacted header "+name+" (name it in Traits.Secrets)", shown)
				k.secretIn("the redacted header "+name+", in base64 (name the encoded value in Traits.Secrets, too)", plain(shown))
			}
		}
	})
}

// plain decodes the words of a header that are base64, such as those of basic
// authentication.
func plain(header string) string {
	var text []byte
	for word := range strings.FieldsSeq(header) {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			if decoded, err := encoding.DecodeString(word); err == nil {
				text = append(append(text, decoded...), ' ')
			}
		}
	}
	return string(text)
}

func reasonsShowNoValues(k *check) {
	k.batches(func(batch []event.Event) {
		_, rejections := k.tracker.Requests(batch)
		for _, rej := range rejections {
			k.secretIn("a rejection", rej.Reason)
			if len(rej.Reason) > maxReason {
				k.failf("a reason of %d bytes, more than %d", len(rej.Reason), maxReason)
			}
			if rej.Event < 0 || rej.Event >= len(batch) {
				continue // another clause's
			}
			for _, value := range personal(&batch[rej.Event]) {
				if strings.Contains(rej.Reason, value) {
					k.failf("a reason shows a value of the event: %q", rej.Reason)
				}
			}
		}
	})
}

// maxReason bounds a reason in bytes: it becomes a value in the warehouse and the name
// of a group.
const maxReason = 200

// personal are the values of an event that a reason must not repeat.
func personal(ev *event.Event) []string {
	values := []string{ev.EventID, ev.DeviceID, ev.UserID, ev.IP, ev.UserAgent, ev.Page.URL}
	for _, p := range ev.Properties {
		values = append(values, p.Value.Text)
	}
	return slices.DeleteFunc(values, func(s string) bool { return len(s) < 8 })
}
