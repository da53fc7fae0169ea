package journal

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// losses reports what is missing, once for each gap, however many readers find it.
type losses struct {
	log      *slog.Logger
	reporter fault.Reporter
	metrics  *metrics

	mu       sync.Mutex
	reported map[gap]bool
}

type gap struct {
	stream         string
	from, messages uint64
}

// reportedLimit bounds what is remembered; beyond it a gap may be reported again.
const reportedLimit = 1024

// lost reports messages of s that are missing, beginning with sequence from.
func (l *losses) lost(s *Stream, from, messages, records uint64) {
	l.mu.Lock()
	g := gap{s.name, from, messages}
	again := l.reported[g]
	if l.reported == nil || len(l.reported) >= reportedLimit {
		l.reported = make(map[gap]bool)
	}
	l.reported[g] = true
	l.mu.Unlock()
	if again {
		return
	}
	to := from + messages - 1
	l.metrics.lostMessages.WithLabelValues(s.label).Add(float64(messages))
	l.log.Error("journal messages are missing", "stream", s.label,
		"from_seq", from, "to_seq", to, "messages", messages, "records", records)
	known := "an unknown number of"
	if records > 0 {
		known = fmt.Sprint(records)
	}
	l.incident("lost messages", fmt.Errorf("stream %s: messages %d to %d are missing or damaged, with %s records", s.label, from, to, known))
}

func (l *losses) incident(class string, err error) {
	if l.reporter != nil {
		l.reporter.Report(fault.Incident{Component: "journal", Class: class, Err: err, Time: time.Now()})
	}
}
