//go:build cgo

package duckdb

// tables makes what is missing. The columns are described in package warehouse.
var tables = [...]string{
	`create table if not exists raw (
		eventId varchar, "timestamp" timestamp, data varchar, receipt varchar, source varchar, context varchar, duplicate boolean,
		day date, epoch varchar, seq ubigint, idx uinteger, event varchar, usable boolean, translated varchar)`,
	`alter table raw add column if not exists translated varchar`, // of files that an earlier release made
	`create table if not exists deliveries (
		receipt varchar, eventId varchar, tracker varchar, outcome varchar, reason varchar, status integer, error varchar,
		attempts integer, "timestamp" timestamp, latencyMs bigint, run uinteger, plan varchar, release varchar,
		day date, epoch varchar, seq ubigint, idx uinteger, source varchar, event varchar)`,
	`create table if not exists filtered (
		day date, source varchar, event varchar, tracker varchar, reason varchar, plan varchar, count bigint, run uinteger)`,
	`create table if not exists leaks (
		day date, source varchar, event varchar, property varchar, kind varchar, tracker varchar, count bigint, run uinteger)`,
	`create table if not exists lanes (
		tracker varchar, epoch varchar, run uinteger, startSeq ubigint, startIdx uinteger, markSeq ubigint, markIdx uinteger,
		closed boolean, plan varchar, release varchar, reported timestamp)`,
	`create table if not exists parked (
		tracker varchar, epoch varchar, run uinteger, seq ubigint, idx uinteger, receipt varchar, due timestamp, since timestamp, attempts integer)`,
	`create table if not exists gaps (
		tracker varchar, epoch varchar, run uinteger, fromSeq ubigint, fromIdx uinteger, toSeq ubigint, toIdx uinteger)`,
	`create table if not exists names (day date, source varchar, event varchar)`,
	`create table if not exists plans (version varchar, text varchar, seen timestamp)`,
	`create table if not exists columns (ordinal integer, name varchar, property varchar, type varchar, description varchar)`,
	`create table if not exists positions (stream varchar, epoch varchar, seq ubigint, idx uinteger, loaded timestamp)`,
	`create table if not exists sums (
		day date, source varchar, event varchar, tracker varchar, outcome varchar, reason varchar, n bigint)`,
	`create table if not exists counted_days (day date)`,
	`create table if not exists unfilled (epoch varchar, seq ubigint)`, // events below seq are read from raw
	`create table if not exists quarantine (
		receipt varchar, eventId varchar, "timestamp" timestamp, source varchar, reason varchar, bytes bigint, quarantined timestamp)`,
}

// staging holds the rows of a load that must be merged with what is there. The
// tables are the writing connection's own and in memory.
var staging = [...]string{
	`create temp table if not exists staged_deliveries as from deliveries limit 0`,
	`create temp table if not exists staged_filtered as from filtered limit 0`,
	`create temp table if not exists staged_leaks as from leaks limit 0`,
	`create temp table if not exists staged_names as from names limit 0`,
	`create temp table if not exists staged_sums as from sums limit 0`,
}

// The merges of a load. Staged tables are emptied in the same transaction.
const (
	// nameDeliveries gives deliveries the source, event and day of their raw row.
	// Those of a duplicate, or without a raw row, are not counted.
	nameDeliveries = `update temp.staged_deliveries as s set day = r.day, source = r.source, event = r.event
		from (select day, epoch, seq, idx, source, event from raw where not duplicate and seq between $1 and $2) as r
		where s.source is null and r.epoch = s.epoch and r.seq = s.seq and r.idx = s.idx`
	mergeFiltered = `merge into filtered as t
		using (select day, source, event, tracker, reason, plan, run, sum(count)::bigint as count from staged_filtered group by all) as s
		on t.day = s.day and t.source = s.source and t.event = s.event and t.tracker = s.tracker
			and t.reason = s.reason and t.plan = s.plan and t.run = s.run
		when matched then update set count = t.count + s.count
		when not matched then insert (day, source, event, tracker, reason, plan, count, run)
			values (s.day, s.source, s.event, s.tracker, s.reason, s.plan, s.count, s.run)`
	mergeLeaks = `merge into leaks as t
		using (select day, source, event, property, kind, tracker, run, sum(count)::bigint as count from staged_leaks group by all) as s
		on t.day = s.day and t.source = s.source and t.event = s.event and t.property = s.property
			and t.kind = s.kind and t.tracker = s.tracker and t.run = s.run
		when matched then update set count = t.count + s.count
		when not matched then insert (day, source, event, property, kind, tracker, count, run)
			values (s.day, s.source, s.event, s.property, s.kind, s.tracker, s.count, s.run)`
	mergeNames = `insert into names select distinct day, source, event from staged_names as s
		where not exists (select 1 from names as n where n.day = s.day and n.source = s.source and n.event = s.event)`
)
