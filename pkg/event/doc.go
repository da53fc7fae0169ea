// Package event has the values that Sparrow's packages exchange: the Record that
// the dispatcher makes durable, the Event that a tracker translates, and the
// Checkpoint in which a lane publishes the outcomes of the events it read. Its
// Scanner is the one reader of JSON.
//
// It promises that a Record keeps the client's bytes unchanged, that numbers
// are never converted to floats, and that everything decoded from disk is
// bounded by the input's size. It imports no other package of Sparrow.
//
// The encodings of Record and Checkpoint are drawn beside their AppendBinary
// methods; the contract of an event as clients send it is api/event.schema.json
// and, in code, Inspect.
package event
