package main

// question is a command, and how long its answer may take with 10 million events.
type question struct {
	what, goal string
	args       []string
}

func sql(what, goal, query string) question {
	return question{what, goal, []string{"query", query}}
}

var questions = []question{
	sql("an empty question: the command itself", "", "select 1"),
	{"sparrow reconcile", "300 ms", []string{"reconcile"}},
	sql("select * from reconciliation", "300 ms", "select * from reconciliation"),
	sql("count by event and day", "250 ms", "select event, cast(timestamp as date) as day, count(*) from raw_normalized group by all"),
	sql("count(distinct deviceId)", "500 ms", "select count(distinct deviceId) from raw_normalized"),
	sql("sum and count by a property of one event", "250 ms",
		"select category, count(*), sum(price) from raw_normalized where event = 'purchase product' group by category"),
	sql("two-step funnel", "500 ms", `select count(*), count(bought) from (
		select deviceId, min(timestamp) as viewed from raw_normalized where event = 'view product' group by deviceId) as v
		left join (select deviceId, max(timestamp) as bought from raw_normalized where event = 'purchase product' group by deviceId) as b
		on b.deviceId = v.deviceId and b.bought > v.viewed`),
	sql("one user's history (50 rows)", "250 ms", "select * from raw_normalized where deviceId = 'device-4711' order by timestamp desc limit 50"),
	sql("retention by week", "", `select week, n, count(distinct deviceId) from (
		select deviceId, week, date_diff('week', min(week) over (partition by deviceId), week) as n from (
			select distinct deviceId, date_trunc('week', timestamp) as week from raw_normalized)) group by all`),
	sql("top pages", "", "select pathname, count(*) from raw_normalized where event = 'pageview' group by pathname order by 2 desc limit 20"),
	sql("sessions a day", "", "select cast(timestamp as date), count(distinct sessionId) from events group by 1"),
	sql("drift by reason", "", "select tracker, outcome, reason, sum(n) from sums group by all"),
}
