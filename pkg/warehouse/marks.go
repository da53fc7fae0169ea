package warehouse

import "github.com/sparrow-edge/sparrow/pkg/event"

// loadedMarks says how far each stream of each epoch is loaded.
type loadedMarks map[markKey]event.Position

type markKey struct {
	stream Stream
	epoch  string
}

func newLoadedMarks(marks []StreamPosition) loadedMarks {
	m := loadedMarks{}
	for _, mark := range marks {
		m.set(mark)
	}
	return m
}

func (m loadedMarks) set(mark StreamPosition) {
	if mark.Epoch != "" {
		m[markKey{mark.Stream, mark.Epoch}] = mark.Next
	}
}

// otherThan reports whether events are loaded, and none of them of this epoch.
func (m loadedMarks) otherThan(epoch string) bool {
	others := false
	for k := range m {
		if k.stream == EventsStream && k.epoch == epoch {
			return false
		}
		others = others || k.stream == EventsStream
	}
	return others
}

func (m loadedMarks) events(epoch string) event.Position { return m[markKey{EventsStream, epoch}] }

func (m loadedMarks) outcomes(epoch string) uint64 { return m[markKey{OutcomesStream, epoch}].Seq }
