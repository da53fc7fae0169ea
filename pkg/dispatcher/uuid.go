package dispatcher

import (
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// newUUID makes a UUIDv7 (RFC 9562): 48 bits of milliseconds, 12 bits of the
// millisecond's fraction, 62 random bits. The randomness is the runtime's
// ChaCha8 generator, seeded by the operating system and free of locks, which
// costs a tenth of reading the system's source: these ids must be unique, they
// are no secret.
func newUUID(now time.Time) string {
	const fractions = 1 << 12
	ms := uint64(now.UnixMilli())
	fraction := uint64(now.Nanosecond()%1e6) * fractions / 1e6
	random := rand.Uint64()
	b := [16]byte{
		byte(ms >> 40), byte(ms >> 32), byte(ms >> 24), byte(ms >> 16), byte(ms >> 8), byte(ms),
		0x70 | byte(fraction>>8), byte(fraction),
		0x80 | byte(random>>56)&0x3f, byte(random >> 48),
		byte(random >> 40), byte(random >> 32), byte(random >> 24), byte(random >> 16), byte(random >> 8), byte(random),
	}
	var text [36]byte
	hex.Encode(text[:8], b[:4])
	text[8] = '-'
	hex.Encode(text[9:13], b[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], b[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], b[8:10])
	text[23] = '-'
	hex.Encode(text[24:], b[10:])
	return string(text[:])
}
