package dispatcher

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// newUUID makes a UUIDv7 (RFC 9562): 48 bits of milliseconds, 12 bits of the
// millisecond's fraction, 62 random bits. The random bits come from the runtime's
// ChaCha8 generator, which the operating system seeds: these ids must be unique,
// they are no secret. uuid.NewV7 reads the system's source and takes a lock that
// all requests share: 1.3 µs instead of 0.4 µs on a busy machine, and a request
// needs up to one id for each of its events and one of its own.
func newUUID(now time.Time) string {
	const version, variant, fractions = 7 << 12, 2 << 62, 1 << 12
	fraction := uint64(now.Nanosecond()%1e6) * fractions / 1e6
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16|version|fraction)
	binary.BigEndian.PutUint64(id[8:], variant|rand.Uint64()>>2)
	return id.String()
}
