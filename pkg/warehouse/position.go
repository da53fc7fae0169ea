package warehouse

import "github.com/sparrow-edge/sparrow/pkg/event"

// streamPositions says how far each stream of each epoch is loaded.
type streamPositions map[streamKey]event.Position

type streamKey struct {
	stream Stream
	epoch  string
}

func newStreamPositions(list []StreamPosition) streamPositions {
	p := streamPositions{}
	for _, position := range list {
		p.set(position)
	}
	return p
}

func (p streamPositions) set(position StreamPosition) {
	if position.Epoch != "" {
		p[streamKey{position.Stream, position.Epoch}] = position.Next
	}
}

// onlyOtherThan reports whether events are loaded, and none of them of this epoch.
func (p streamPositions) onlyOtherThan(epoch string) bool {
	others := false
	for k := range p {
		if k.stream == EventsStream && k.epoch == epoch {
			return false
		}
		others = others || k.stream == EventsStream
	}
	return others
}

func (p streamPositions) events(epoch string) event.Position {
	return p[streamKey{EventsStream, epoch}]
}

func (p streamPositions) outcomes(epoch string) uint64 {
	return p[streamKey{OutcomesStream, epoch}].Seq
}
