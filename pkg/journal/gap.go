package journal

// gaps finds what is missing between the messages that a reader gets.
type gaps struct {
	chains map[chain]tail
}

// chain identifies who numbers batches: a writer of events, or a lane.
type chain struct {
	lane string
	id   uint64
}

// chainLimit bounds what a reader remembers on a cluster with many writers.
const chainLimit = 256

// add takes the next frame, skipped sequences after the one before. It returns how
// many messages are missing in between, and how many records were in them (0 if
// unknown: other writers lost some too).
//
// Missing sequences show as such. Missing batches without a missing sequence
// mean that the end of the stream was lost and its sequences given out again.
func (g *gaps) add(lane string, h header, seq, skipped uint64) (messages, records uint64) {
	key := chain{lane, h.chain}
	last, known := g.chains[key]
	messages = skipped
	if known && h.batch > last.batch+1 {
		own := h.batch - last.batch - 1
		messages = max(skipped, own)
		if own == messages && h.before > last.records {
			records = h.before - last.records
		}
	}
	if skipped > 0 || len(g.chains) >= chainLimit {
		// The gap is reported once, not again by each writer that lost a part.
		clear(g.chains)
	}
	if g.chains == nil {
		g.chains = make(map[chain]tail)
	}
	g.chains[key] = tail{seq: seq, batch: h.batch, records: h.before + uint64(h.count)}
	return messages, records
}
