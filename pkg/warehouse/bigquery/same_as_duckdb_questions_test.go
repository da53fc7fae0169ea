//go:build cgo

package bigquery_test

// question is asked of both warehouses. Big is its text where BigQuery's SQL is
// another; rows are at least so many, so that nothing is compared with nothing.
type question struct {
	name, duck, big string
	rows            int
}

// questions need one table or view each. Those that compare typed columns event
// by event ask for the first of each message, to spare the emulator.
var questions = []question{
	{name: "raw, byte for byte", rows: 10_000,
		duck: `select receipt, eventId, timestamp, data, source, context, duplicate, day, epoch, seq, idx, event, usable from raw order by epoch, seq, idx`},
	{name: "events by day", rows: 3,
		duck: `select day, count(*), count(distinct source), count(case when duplicate then 1 end), count(case when not usable then 1 end) from raw group by day order by day`},
	{name: "events by name", rows: 6,
		duck: `select event, usable, count(*), min(timestamp), max(timestamp) from raw group by event, usable order by event, usable`},
	{name: "distinct users", rows: 1,
		duck: `select count(*), count(distinct userId), count(distinct deviceId), count(distinct event) from raw_normalized`},
	{name: "events by user", rows: 600,
		duck: `select userId, count(*), count(distinct event) from raw_normalized where userId is not null group by userId order by userId`},
	{name: "time of the event", rows: 2_000,
		duck: `select receipt, timestamp, receivedAt, event, deviceId, userId, eventId, source from raw_normalized where receipt like '%-0' order by receipt`},
	{name: "events by hour", rows: 60,
		duck: `select date_trunc('hour', timestamp) as hour, count(*) from raw_normalized group by hour order by hour`,
		big:  `select timestamp_trunc(timestamp, hour) as hour, count(*) from raw_normalized group by hour order by hour`},
	{name: "one day", rows: 5,
		duck: `select event, count(*) from raw_normalized where receivedAt >= (select max(receivedAt) from raw_normalized) - interval 12 hour group by event order by event`,
		big:  `select event, count(*) from raw_normalized where receivedAt >= timestamp_sub((select max(receivedAt) from raw_normalized), interval 12 hour) group by event order by event`},
	{name: "last event of each name", rows: 6,
		duck: `select event, receipt from (select event, receipt, row_number() over (partition by event order by timestamp desc, receipt) as n from raw) as x where n = 1 order by event`},
	{name: "texts", rows: 2_000,
		duck: `select receipt, category, price_text, "select" as s, a_b, slashed, backticks, backslash, lines, name_, dropped, bracket, format, combining, long from raw_normalized where receipt like '%-0' order by receipt`,
		big:  "select receipt, category, price_text, `select` as s, a_b, slashed, backticks, backslash, lines, name_, dropped, bracket, format, combining, long from raw_normalized where receipt like '%-0' order by receipt"},
	{name: "numbers", rows: 2_000,
		duck: `select receipt, price, quantity, "group" as g, tabs from raw_normalized where receipt like '%-0' order by receipt`,
		big:  "select receipt, price, quantity, `group` as g, tabs from raw_normalized where receipt like '%-0' order by receipt"},
	{name: "truths, times, JSON", rows: 2_000,
		duck: `select receipt, paid, smile, "at" as time, extra from raw_normalized where receipt like '%-0' order by receipt`,
		big:  "select receipt, paid, smile, `at` as time, extra from raw_normalized where receipt like '%-0' order by receipt"},
	{name: "sums by category", rows: 10,
		duck: `select category, count(*), count(price), sum(price), sum(quantity) from raw_normalized where coalesce(price, 0) < 1e20 group by category order by coalesce(category, ''), count(*)`},
	{name: "sums by day", rows: 3,
		duck: `select cast(receivedAt as date) as day, count(*), sum(price), count(case when paid then 1 end) from raw_normalized where coalesce(price, 0) < 1e20 group by day order by day`},
	{name: "JSON access", rows: 50,
		duck: `select receipt, json_extract_string(extra, '$.a.b[0]'), json_extract_string(extra, '$.a.b[2].c'), json_extract_string(extra, '$."a b"') from raw_normalized where extra like '{%' order by receipt`,
		big:  `select receipt, json_value(extra, '$.a.b[0]'), json_value(extra, '$.a.b[2].c'), json_value(extra, '$."a b"') from raw_normalized where extra like '{%' order by receipt`},
	{name: "deliveries", rows: 1_000,
		duck: `select receipt, eventId, tracker, outcome, reason, status, error, attempts, timestamp, latencyMs, run, plan, release, day, epoch, seq, idx from deliveries order by epoch, seq, idx, tracker, run`},
	{name: "outcomes by tracker", rows: 10,
		duck: `select tracker, run, outcome, count(*), count(distinct receipt) from deliveries group by tracker, run, outcome order by tracker, run, outcome`},
	{name: "filtered", rows: 50,
		duck: `select day, source, event, tracker, reason, plan, count, run from filtered order by day, source, event, tracker, run`},
	{name: "leaks", rows: 2,
		duck: `select day, source, event, property, kind, tracker, count, run from leaks order by tracker, run`},
	{name: "lanes", rows: 6,
		duck: `select tracker, epoch, run, startSeq, startIdx, markSeq, markIdx, closed, plan, release, reported from lanes order by tracker, epoch, run, startSeq, startIdx`},
	{name: "names", rows: 20, duck: `select day, source, event from names order by day, source, event`},
	{name: "plans", rows: 2, duck: `select version, text from plans order by version`},
	{name: "columns", rows: 22,
		duck: `select ordinal, name, property, type, description from columns order by ordinal`,
		// To the emulator, columns is what INFORMATION_SCHEMA calls so: what the view selects.
		big: `select distinct ordinal, name, property, type, description from columns_log where version = (select max(version) from columns_log) order by ordinal`},
	{name: "positions", rows: 4, duck: `select stream, epoch, seq, idx from positions order by stream, epoch`},
	{name: "sums", rows: 100,
		duck: `select day, source, event, tracker, outcome, reason, n from sums where n <> 0 order by day, source, event, tracker, outcome, reason`},
	{name: "drift by reason", rows: 5,
		duck: `select tracker, outcome, reason, cast(sum(n) as bigint) as n from sums where n <> 0 group by tracker, outcome, reason order by tracker, outcome, reason`},
	{name: "days with sums", rows: 3, duck: `select day from counted_days order by day`},
	{name: "quarantine", rows: 1, duck: `select receipt, eventId, timestamp, source, reason, bytes from quarantine order by receipt`},
}

// joining join deliveries, gaps or lanes to raw, or ask about what has a day counted
// again, which does. The emulator compares each row with each other, so that they are
// asked over fewer events.
var joining = []question{
	{name: "sums after replays and gaps", rows: 50, duck: `select day, source, event, tracker, outcome, reason, n from sums where n <> 0 order by day, source, event, tracker, outcome, reason`},
	{name: "gaps", rows: 1,
		duck: `select tracker, epoch, run, fromSeq, fromIdx, toSeq, toIdx from gaps order by tracker, epoch, run, fromSeq, fromIdx`},
	{name: "parked", rows: 1,
		duck: `select tracker, epoch, run, seq, idx, receipt, due, since, attempts from parked order by tracker, epoch, run, seq, idx`},
	{name: "reconciliation", rows: 50,
		duck: `select day, source, event, tracker, accepted, duplicate, delivered, filtered, rejected, expired, uncertain, pending, unaccounted, drift, open, asOfPosition, lost
			from reconciliation order by day, source, event, tracker`},
	{name: "drift by tracker", rows: 3,
		duck: `select tracker, sum(accepted), sum(delivered), sum(unaccounted), sum(lost), count(case when drift > 0.25 then 1 end) from reconciliation group by tracker order by tracker`},
	{name: "outcomes by category", rows: 5,
		duck: `select n.category, d.outcome, count(*) from deliveries as d join raw_normalized as n on n.receipt = d.receipt group by n.category, d.outcome order by coalesce(n.category, ''), d.outcome, count(*)`},
}
