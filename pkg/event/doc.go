// Package event holds the values that cross Sparrow's walls: the Record that
// the dispatcher makes durable, the Event that a tracker translates, and the
// Report in which a lane says what became of the events it read.
//
// It promises that a Record keeps the client's bytes unchanged, that numbers
// are never turned into floats, and that everything decoded from disk is
// bounded by the input's size. It imports no other package of Sparrow.
//
// The encodings of Record and Report are drawn beside their AppendBinary
// methods; the contract of an event as clients send it is api/event.schema.json
// and, in code, Inspect.
package event
