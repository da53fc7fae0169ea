// Package lease has each piece of work done by one process of a cluster at a
// time, and shares the work out among them.
//
// # Promise
//
// Work under a lease (Member.Hold, Member.Share) runs in one process while the
// others stand by, and is taken over at once when its process gives it up, and
// after Config.TTL when nothing was heard of that process. A process that cannot
// reach the others stops its own work after four fifths of the TTL.
//
// A lease keeps processes out of each other's way; it is not what makes them
// safe. A process that was frozen may believe in a lease that it has lost until
// it looks at its clock. That nothing is done twice rests on what the work writes
// to, which must refuse whoever does not know what was written last; work that
// was refused so returns ErrFenced, and stands by.
//
// # How
//
// The processes write notes for each other on a Board, each a JSON object:
//
//	session.NODE   {id, name, shared}            a member is alive; written anew three times in each TTL
//	lease.NAME     {node, session, name, since}  who does a piece of work; empty when it was given back
//	home.WHAT      {node, session, name, since}  where something is that is in one place for good
//
// A lease names the session that has it, and is replaced only by whoever knows
// the number of the note that is there. A session is dead when the one who looks
// has seen its note unchanged for the TTL by his own clock, and whoever leads the
// cluster knows of no newer one: clocks need not agree, and nothing needs to
// expire a note.
package lease
