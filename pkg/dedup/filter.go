package dedup

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const (
	// With filterBits for each entry and filterProbes of them set, about one in a
	// hundred new ids is looked up in the store in vain.
	filterBits   = 12
	filterProbes = 6
	blockBits    = 512
	minEntries   = 1 << 12
)

// filter is a Bloom filter of a generation's originals, in memory. Most ids are new,
// and the filter says so a hundred times faster than the store. Each entry's bits are
// in one block the size of a cache line.
type filter struct {
	blocks   [][blockBits / 64]uint64
	entries  uint64
	capacity uint64
}

func newFilter(capacity uint64) *filter {
	capacity = max(capacity, minEntries)
	return &filter{blocks: make([][blockBits / 64]uint64, capacity*filterBits/blockBits+1), capacity: capacity}
}

// block returns the block of a digest. Both halves of a digest are like random
// numbers.
func (f *filter) block(d *digest) *[blockBits / 64]uint64 {
	n, _ := bits.Mul64(binary.LittleEndian.Uint64(d[:8]), uint64(len(f.blocks)))
	return &f.blocks[n]
}

func (f *filter) add(d *digest) {
	block, positions := f.block(d), binary.LittleEndian.Uint64(d[8:])
	for range filterProbes {
		block[positions>>6&7] |= 1 << (positions & 63)
		positions >>= 9
	}
	f.entries++
}

// has is true if d was added. It is rarely true if d was not.
func (f *filter) has(d *digest) bool {
	block, positions := f.block(d), binary.LittleEndian.Uint64(d[8:])
	for range filterProbes {
		if block[positions>>6&7]&(1<<(positions&63)) == 0 {
			return false
		}
		positions >>= 9
	}
	return true
}

// loadFilter reads a generation's originals from the store.
func loadFilter(db *pebble.DB, generation uint32, capacity uint64) (f *filter, err error) {
	from, to := generationBounds(generation)
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, err
	}
	f = newFilter(capacity)
	for valid := iter.First(); valid; valid = iter.Next() {
		key := iter.Key()
		if len(key) != originalKeyLength {
			return nil, errors.Join(event.ErrCorrupt, iter.Close())
		}
		d := digest(key[originalKeyLength-len(digest{}):])
		f.add(&d)
	}
	return f, errors.Join(iter.Error(), iter.Close())
}
