package journal

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// losses tells of what is missing, once for each gap however many readers come
// upon it.
type losses struct {
	log      *slog.Logger
	reporter fault.Reporter
	metrics  *metrics

	mu   sync.Mutex
	told map[gap]bool
}

type gap struct {
	stream         string
	from, messages uint64
}

// toldLimit bounds what is remembered; beyond it a gap may be told again.
const toldLimit = 1024

// report tells of messages of s that are missing from the sequence from on.
func (l *losses) report(s *Stream, from, messages, records uint64) {
	if !l.first(gap{s.name, from, messages}) {
		return
	}
	to := from + messages - 1
	l.metrics.lostMessages.WithLabelValues(s.label).Add(float64(messages))
	l.log.Error("journal messages are missing", "stream", s.label,
		"from_seq", from, "to_seq", to, "messages", messages, "records", records)
	l.observe("lost messages", fmt.Errorf("stream %s: messages %d to %d are missing or damaged, with %s records",
		s.label, from, to, known(records)))
}

func known(records uint64) string {
	if records == 0 {
		return "an unknown number of"
	}
	return fmt.Sprint(records)
}

func (l *losses) first(g gap) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told[g] {
		return false
	}
	if l.told == nil || len(l.told) >= toldLimit {
		l.told = make(map[gap]bool)
	}
	l.told[g] = true
	return true
}

func (l *losses) observe(class string, err error) {
	if l.reporter != nil {
		l.reporter.Report(fault.Incident{Component: "journal", Class: class, Err: err, Time: time.Now()})
	}
}
