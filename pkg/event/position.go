package event

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Position is a place in the journal's events stream: the sequence of a
// message (1 is the first) and the index of a record within it. The zero
// Position is before everything. Positions order the records of one epoch.
type Position struct {
	Seq   uint64 `json:"seq"`
	Index uint32 `json:"index"`
}

// Compare returns -1, 0 or +1 as p is before, at or after q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Seq, q.Seq), cmp.Compare(p.Index, q.Index))
}

// Before reports whether p is at a lower place than q.
func (p Position) Before(q Position) bool { return p.Compare(q) < 0 }

// Next is the position right after p in the same message. A cursor after p
// is at p.Next(); readers treat an index beyond a message's
// last record as the start of the following message.
func (p Position) Next() Position { return Position{p.Seq, p.Index + 1} }

// String is "seq-index".
func (p Position) String() string { return fmt.Sprintf("%d-%d", p.Seq, p.Index) }

// Receipt identifies one accepted record for ever: the epoch of its journal (made with
// the stream, so that two journals never have the same receipt) and its position
// there. It is the key of all accounting.
type Receipt struct {
	Epoch string
	Position
}

// String is "epoch-seq-index", the form stored in raw.receipt.
func (r Receipt) String() string {
	b := make([]byte, 0, len(r.Epoch)+24)
	b = append(b, r.Epoch...)
	b = append(b, '-')
	b = strconv.AppendUint(b, r.Seq, 10)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(r.Index), 10)
	return string(b)
}

// ParseReceipt reads the form that Receipt.String writes.
func ParseReceipt(s string) (Receipt, error) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 || parts[0] == "" {
		return Receipt{}, fmt.Errorf("receipt %q: want epoch-seq-index", s)
	}
	seq, errSeq := strconv.ParseUint(parts[1], 10, 64)
	index, errIndex := strconv.ParseUint(parts[2], 10, 32)
	if err := cmp.Or(errSeq, errIndex); err != nil {
		return Receipt{}, fmt.Errorf("receipt %q: %w", s, err)
	}
	return Receipt{Epoch: parts[0], Position: Position{Seq: seq, Index: uint32(index)}}, nil
}
