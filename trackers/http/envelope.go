package http

import (
	"errors"
	"fmt"
	"strings"
)

// placeholder stands for the events while the envelope is evaluated.
const placeholder = "sparrow: the events go here: 7d0f5b0e6c1f4f0d"

// envelope is what a body begins and ends with, around its events.
func envelope(b Batch, env environment) (head, tail string, err error) {
	switch {
	case b.MaxEvents == 0:
		return "", "", nil
	case strings.TrimSpace(b.Envelope) == "":
		return "[", "]", nil
	}
	p, err := compile("batch.envelope", b.Envelope, env)
	if err != nil {
		return "", "", err
	}
	values, err := p.values(placeholder, startSteps, 1)
	if err != nil {
		return "", "", fmt.Errorf("batch.envelope: %s; it is evaluated without events, so it can only place them", strings.ReplaceAll(p.reason(err), " on this event", ""))
	}
	if len(values) != 1 {
		return "", "", errors.New("batch.envelope: gives nothing; write it like { events: . }")
	}
	text, err := appendValue(nil, values[0], int(b.MaxBytes), 0)
	if err != nil {
		return "", "", fmt.Errorf("batch.envelope: %w", err)
	}
	quoted := `"` + placeholder + `"`
	head, tail, found := strings.Cut(string(text), quoted)
	if !found || strings.Contains(tail, placeholder) || strings.Contains(head, placeholder) || strings.HasPrefix(tail, ":") {
		return "", "", errors.New("batch.envelope: must place the events (.) once, as they are, such as { events: . }")
	}
	return head + "[", "]" + tail, nil
}
