// Package lease runs each piece of work in one process of a cluster at a time,
// and spreads the work over the processes.
//
// # Promise
//
// Work under a lease (Member.RunHolding, Member.RunBalanced) runs in one process
// while the others stand by. When its process gives it up, another takes over at
// once. When its process goes silent, another takes over after Config.TTL. A
// process that cannot reach the store stops its own work after four fifths of
// the TTL.
//
// A lease keeps processes out of each other's way. It does not make them safe: a
// process that was frozen may believe in a lease that it has lost, until it looks
// at its clock. What the work writes to has to make sure that nothing is done twice: it
// must refuse a writer that does not know what was written last. Work that was
// refused in this way returns ErrFenced; the member then stands by for one TTL.
//
// # Protocol
//
// The processes share a Store. Each entry is a JSON object:
//
//	session.NODE    {id, name, shared}            the member NODE is alive; rewritten three times in each TTL
//	lease.NAME      {node, session, name, since}  the holder of a lease; empty when it was given back
//	home.RESOURCE   {node, session, name, since}  where a resource is placed for good
//
// (These names are stored, and older than the glossary: a session entry is a
// membership, a home entry a placement, and "shared" lists the balanced leases
// for which the member is ready. "name" is for people.)
//
// NODE names a data directory. Each start of a process on it is an incarnation
// with an id of its own ("id" and "session" above). A lease names the incarnation
// that holds it, and is replaced only by a member that knows the revision of the
// entry that is there.
//
// A member judges by its own clock whether another is alive: it is silent when
// its entry did not change for the TTL, and the store's leader has no newer one.
// So clocks need not agree, and the store need not expire entries.
//
// # Balance
//
// The owner of a balanced lease is a pure function of its name and of the nodes
// that are alive and ready for the work: the node with the highest hash of name
// and node (rendezvous hashing, see Owner). A member claims a free lease when it
// is the owner, or when nobody claimed the lease for a TTL; and it gives a lease
// up when another member is the owner. When a member comes or goes, the only
// leases that move are those that it owns.
//
// The spread is that of a fair die, not even: of m leases each of n members owns
// m/n on average, with a standard deviation of √(m/n·(1−1/n)). For example, of 8
// leases and 2 members each has 4±1.4, and of 100 leases and 4 members 25±4.3.
package lease
