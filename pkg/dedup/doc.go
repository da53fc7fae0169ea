// Package dedup is the duplicate index: it knows which records of the journal
// repeat an earlier record.
//
// # Definition
//
// Records of the same source and event id are compared in the journal's order. The
// first is an original. A later one is a duplicate if the original was received at
// most one window before it (or, with the clocks of several dispatchers, after it).
// One that comes later than that is a new original. Malformed records get ids of
// our own and are never duplicates.
//
// This is a pure function of the journal's order: a redelivery, another lane, a
// replay or a restart asks again and gets the same answer. Three things can weaken
// it: the byte budget (see below), a rebuild, which are both reported, and receive
// times that are out of order by more than a quarter of the window, because the
// original may be forgotten by then.
//
// # How it works
//
// One follower (Run) reads the events stream in order, decides each record once and
// stores a flag for each duplicate. Readers (FlagDuplicates) wait until the follower
// has passed their records, and read the flags. The journal is the truth: the index
// writes no log of its own and does not sync each write. A message's flags and
// originals and the position after it are one atomic write, flushed every few
// seconds. So after SIGKILL or a power cut the follower goes on from the last flush
// and finds the same flags. The journal must therefore keep what Durable has not
// passed.
//
// # On disk
//
// A Pebble store of four kinds of keys; integers in keys are big-endian, "pos" is
// two uvarints (sequence, index), times are varints of microseconds since 1970:
//
//	's'                                  -> state: version byte 1 | epoch str | applied pos | forgotten time | next id uvarint
//	                                        | generations: uvarint count, each: id uvarint | opened time | latest time | entries uvarint
//	't'                                  -> trimmed pos
//	'f' generation uint32  hash 16 bytes -> pos | receivedAt time     an original
//	'd' sequence uint64  index uint32    -> (empty)                   a duplicate
//
// The hash is the first 128 bits of SHA-256 over the source's length, the source
// and the event id. Among a billion originals in the window the odds that any two
// different ones share a hash are 1.5e-21.
//
// # Bounds
//
// Originals are grouped in generations, each a quarter of the window or of the
// byte budget, whichever is reached first. A generation that is out of the window
// as a whole, and over budget the oldest one, is dropped by one range deletion.
// Dropping for the budget makes the effective window shorter than configured: there
// is a metric for it, and an incident when it begins. Flags are dropped by Trim
// alone, because a reader may still need them.
//
// Most ids are new; a Bloom filter of each generation, in memory, says so without
// a read of the store. The filters are rebuilt from the store when Run begins, at
// some millions of originals a second.
//
// Memory is about 50 MiB (16 MiB of block cache, three memtables of 8 MiB, and
// what a compaction needs) and one and a half to three bytes an original for the
// filters: up to about 75 MiB more at the default budget of 1 GiB.
//
// # Rebuild
//
// An index that is missing, damaged, of another epoch or ahead of the journal's end
// is built anew from the journal's start. A damaged directory is kept beside it as
// "<dir>.damaged", the latest only. The originals that the journal has trimmed are
// then forgotten: a repeat of one of those, within the window, passes as an original
// once.
//
// # A disk that fails
//
// The first write that fails closes the store. It is reported once; the index then
// opens the store again after growing pauses, and goes on from the journal. Until
// then FlagDuplicates waits. Run and Close give up after 5 seconds on a disk that
// does not answer: what was not flushed is decided again from the journal.
package dedup
