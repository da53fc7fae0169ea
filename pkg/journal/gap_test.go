package journal_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

func TestGaps(t *testing.T) {
	type frame struct {
		lane                                string
		chain, batch, before, seq, skipped  uint64
		wantMessages, wantRecords, contains uint64
	}
	for name, frames := range map[string][]frame{
		"none": {
			{chain: 1, batch: 1, before: 0, contains: 2, seq: 1},
			{chain: 1, batch: 2, before: 2, contains: 1, seq: 2},
		},
		"missing sequences": {
			{chain: 1, batch: 1, before: 0, contains: 2, seq: 1},
			{chain: 1, batch: 4, before: 12, contains: 1, seq: 4, skipped: 2, wantMessages: 2, wantRecords: 10},
			{chain: 1, batch: 5, before: 13, contains: 1, seq: 5},
		},
		"sequences given out again": {
			{chain: 1, batch: 1, before: 0, contains: 2, seq: 1},
			{chain: 1, batch: 4, before: 12, contains: 1, seq: 2, wantMessages: 2, wantRecords: 10},
		},
		"first seen in the middle": {
			{chain: 1, batch: 40, before: 100, contains: 2, seq: 50},
		},
		"another writer": {
			{chain: 1, batch: 1, before: 0, contains: 2, seq: 1},
			{chain: 2, batch: 7, before: 5, contains: 1, seq: 2},
			{chain: 1, batch: 2, before: 2, contains: 1, seq: 3},
		},
		"two writers in one gap": {
			{chain: 1, batch: 1, before: 0, contains: 1, seq: 1},
			{chain: 2, batch: 1, before: 0, contains: 1, seq: 2},
			{chain: 1, batch: 3, before: 2, contains: 1, seq: 5, skipped: 2, wantMessages: 2},
			{chain: 2, batch: 3, before: 2, contains: 1, seq: 6},
		},
		"two lanes": {
			{lane: "a", batch: 1, before: 0, contains: 1, seq: 1},
			{lane: "b", batch: 9, before: 8, contains: 1, seq: 2},
			{lane: "a", batch: 2, before: 1, contains: 1, seq: 3},
			{lane: "b", batch: 11, before: 10, contains: 1, seq: 4, wantMessages: 1, wantRecords: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var g journal.Gaps
			for i, f := range frames {
				messages, records := g.Add(f.lane, f.chain, f.batch, f.before, uint32(f.contains), f.seq, f.skipped)
				if messages != f.wantMessages || records != f.wantRecords {
					t.Errorf("frame %d: want %d messages and %d records, got %d and %d",
						i, f.wantMessages, f.wantRecords, messages, records)
				}
			}
		})
	}
}
