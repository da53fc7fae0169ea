package http

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/itchyny/gojq"
)

// The bounds of a program's run.
const (
	eventSteps  = 200_000
	answerSteps = 2_000_000
	startSteps  = 2_000_000
)

var (
	errSteps  = errors.New("takes too many steps")
	errValues = errors.New("gives more than one value")
)

// program is a compiled jq program. It is safe for concurrent use.
type program struct {
	code *gojq.Code
	// variables are the values of $name, which may be secret: a function prints as
	// an address.
	variables func() []any
	literals  map[string]bool // the texts that stand in the source
}

// environment is what programs of a tracker may name.
type environment struct {
	names  []string // with $, sorted
	values []any
}

// compile makes a program of a source. Errors begin with the key and the place
// in the source.
func compile(key, source string, env environment) (*program, error) {
	source = strings.TrimRight(source, " \t\r\n") // a YAML block ends with a line break
	query, err := gojq.Parse(source)
	if err != nil {
		if at, ok := errors.AsType[*gojq.ParseError](err); ok {
			return nil, fmt.Errorf("%s: %s: %w", key, place(source, at.Offset-len(at.Token)), err)
		}
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	found := inspect(query)
	if name := found.impure(); name != "" {
		return nil, fmt.Errorf("%s: %s: %s is refused: a program must give the same for the same event, and see nothing else", key, placeOf(source, name), name)
	}
	code, err := gojq.Compile(query, gojq.WithVariables(env.names), textFunction("sha256", textSHA256), textFunction("uuid", textUUID))
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", key, placeOf(source, undefined(err)), err)
	}
	return &program{code: code, variables: func() []any { return env.values }, literals: found.literals}, nil
}

// values runs the program and returns at most limit values.
// first are the values of the variables that stand before the configured ones.
func (p *program) values(input any, steps, limit int, first ...any) (values []any, err error) {
	defer func() {
		if recover() != nil { // the interpreter may panic on unusual data
			values, err = nil, errors.New("fails")
		}
	}()
	variables := append(first, p.variables()...)
	iter := p.code.RunWithContext(&budget{Context: context.Background(), left: steps}, input, variables...)
	for {
		v, ok := iter.Next()
		if !ok {
			return values, nil
		}
		if err, failed := v.(error); failed {
			return values, err
		}
		if len(values) == limit {
			return values, errValues
		}
		values = append(values, v)
	}
}

// reason is the text of an error that outcomes may show. It has nothing that is made
// from an event's or an answer's values: that could be personal data.
func (p *program) reason(err error) string {
	switch {
	case errors.Is(err, errSteps):
		return "the program takes too many steps on this event"
	case errors.Is(err, errValues):
		return "the program gives more than one value for this event"
	}
	if raised, ok := errors.AsType[gojq.ValueError](err); ok {
		if text, ok := raised.Value().(string); ok && p.hasLiteral(text) {
			return text
		}
	}
	return "the program fails on this event"
}

// maxText bounds a reason in bytes.
const maxText = 180

// hasLiteral reports whether a text stands in the program as it is, and is short
// enough for a reason.
func (p *program) hasLiteral(text string) bool {
	return text != "" && len(text) <= maxText && p.literals[text]
}

// budget ends a run after a number of steps: the interpreter asks for Done once
// before each. Unlike a clock it is the same on every machine.
type budget struct {
	context.Context
	left int
}

// Done counts a step.
func (b *budget) Done() <-chan struct{} {
	if b.left--; b.left >= 0 {
		return nil
	}
	over := make(chan struct{})
	close(over)
	return over
}

// Err is why the run ended.
func (b *budget) Err() error {
	if b.left >= 0 {
		return nil
	}
	return errSteps
}

// textFunction makes a function of programs from one on strings.
func textFunction(name string, of func(string) string) gojq.CompilerOption {
	return gojq.WithFunction(name, 0, 0, func(input any, _ []any) any {
		if text, ok := input.(string); ok {
			return of(text)
		}
		return errors.New(name + " wants a string")
	})
}

func textSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func textUUID(text string) string {
	if known, err := uuid.Parse(text); err == nil && len(text) == len("00000000-0000-0000-0000-000000000000") {
		return known.String()
	}
	sum := sha256.Sum256([]byte(text))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0F | 0x80 // version 8: of one's own making, by RFC 9562
	id[8] = id[8]&0x3F | 0x80
	return id.String()
}

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
