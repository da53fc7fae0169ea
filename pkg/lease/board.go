package lease

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// Board is where members write notes for each other, one under each name; the
// last one holds.
type Store interface {
	// Write replaces the note under a name and returns its number, which is
	// higher than that of any note before it. With after it does so only while
	// the note there has that number, 0 for none; otherwise written is false.
	Put(ctx context.Context, name string, text []byte, after *uint64) (number uint64, written bool, err error)
	// Read returns the note under a name as whoever leads the cluster knows it.
	// The number is 0 if there is none.
	Get(ctx context.Context, name string) (number uint64, text []byte, err error)
	// Each calls do for every note, perhaps as a copy that is behind knows it.
	Each(ctx context.Context, do func(name string, number uint64, text []byte)) error
}

// The first parts of the notes' names.
const (
	sessionPrefix = "session." // of a member: it is alive
	leasePrefix   = "lease."   // of a piece of work: who does it
	homePrefix    = "home."    // of what is in one place only
)

// sessionNote says that a member is alive: it is written anew three times in each
// TTL.
type sessionNote struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Shared []string `json:"shared,omitempty"` // the work it is ready to share
}

// leaseNote says who has a lease, for as long as that session lives.
type leaseNote struct {
	Node    string    `json:"node"`
	Session string    `json:"session"`
	Name    string    `json:"name"`
	Since   time.Time `json:"since"`
}

// decodeLease reads a note; one that says nothing, or cannot be read, is
// nobody's.
func decodeLease(text []byte) leaseNote {
	var n leaseNote
	if json.Unmarshal(text, &n) != nil {
		return leaseNote{}
	}
	return n
}

// decodeSession is decodeLease for a session.
func decodeSession(text []byte) sessionNote {
	var n sessionNote
	if json.Unmarshal(text, &n) != nil {
		return sessionNote{}
	}
	return n
}

// write encodes a note and writes it.
func (m *Member) write(ctx context.Context, name string, note any, after *uint64) (number uint64, written bool, err error) {
	text, err := json.Marshal(note)
	if err != nil {
		return 0, false, err
	}
	return m.board.Put(ctx, name, text, after)
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,96}$`)

func checkName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("name %q: want 1 to 96 letters, digits, \"-\" or \"_\"", name)
	}
	return nil
}
