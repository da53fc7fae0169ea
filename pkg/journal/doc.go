// Package journal is the durable log: whatever it acknowledged survives a kill
// and a power cut. It is built on NATS JetStream, in this process by default
// (no port, nothing to set up) or on the cluster that Config.URL names; after
// connecting there is one code path.
//
// There are two streams, each with its own reserved space, so that a full one
// never blocks the other: events, which many callers append to, and outcomes,
// which has one subject for each lane and one writer for each subject.
//
// # What it promises
//
//   - Append and Publish return without an error only when the data is fsync'd
//     (embedded) or stored by a majority of the replicas (cluster).
//   - All records of one Append are in one message, in order: the message's
//     sequence and the record's index in it are the record's position for good.
//   - An error from Append means unknown, not "no": after ErrUnavailable or the
//     end of the caller's context the records may still have been stored.
//     ErrFull, ErrTooLarge and ErrClosed mean that nothing was stored.
//   - Nothing that a reader still needs is deleted to free space. Readers say
//     what they need with Stream.Pin; what no reader needs is trimmed from the
//     front, oldest first. A stream without a pin is never trimmed, and the last
//     message of a stream stays.
//   - Damage never stops the start or a reader. It is found (see below), logged,
//     reported once as an incident, counted, and returned to each reader as
//     Message.Lost.
//   - A wedged embedded server (JetStream's publishes hang for good once its disk
//     was full) is restarted in place. The appends that wait are repeated under
//     their message id, so that none is stored twice.
//   - A directory that is gone, was replaced or cannot be written is reported once.
//     Append, Publish and Ready fail with the reason until it is back as it was: the
//     server itself would go on writing to removed files. Run and Close are bounded,
//     whatever the disk does.
//
// # Reading
//
// A Reader keeps its own position; JetStream's consumers and acknowledgements
// are not used. It asks for batches by sequence (JetStream's direct get), which
// needs no state in the server, so a restart or a reconnect means nothing more
// than asking again.
//
// A lane's last message in outcomes is the lane's state. The trimmer does not
// know that: the owner of a lane pins the outcomes stream, under a name of its own,
// at the lane's last message or below.
//
// # Message format
//
// Every message of both streams is one frame (version 1, integers big-endian):
//
//	 0       1               4               8
//	+-------+---------------+---------------+
//	| vers. | zero          | CRC-32C       |  of bytes 0-3 and 8 to the end
//	+-------+---------------+---------------+
//	| chain                                 |  16: which writer counts the batches
//	+---------------------------------------+
//	| batch                                 |  24: number in the chain, from 1
//	+---------------------------------------+
//	| before                                |  32: records in the chain before this frame
//	+---------------+-----------------------+
//	| count         |                          36: records in this frame
//	+---------------+
//	| count times: uvarint length | bytes
//	+-------------------------------------
//
// The messages of a chain are numbered without gaps (in batch). So a reader
// that sees batch 7 after batch 4 knows that two messages are gone, and from
// "before" how many records were in them, even where the server has given their
// sequences to other messages or hides a damaged block without an error. In
// events each chain has one writer: an embedded journal goes on with the chain
// it finds; a process on a cluster begins a new one, and so does a writer that
// cannot know whether its last message was stored. In outcomes the chain is 0
// and each lane counts its own batches.
//
// # Small streams
//
// A third stream keeps, as JSON and with the epoch they belong to, a message for
// each reader (its pin) and one for the end of the events stream as last
// acknowledged. If the events stream ends before that when it is opened, its end
// was damaged. It is then filled up with empty frames, because a sequence that was
// given out in a receipt must never name another record.
//
// On a cluster a fourth stream is the key-value store that its processes share, a
// message for each entry (see KV). Package lease decides there which process does
// what.
package journal
