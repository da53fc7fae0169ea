{{- /*
counted: what became of the accepted events, counted from the rows: day, source,
event, tracker, outcome, reason, n. "accepted" and "duplicate" are outcomes here,
too. .Rows limits it to rows r, "" for all: it is SQL on their day, or on their
place in the journal.

What has no row to join is found by a left join and NULL: BigQuery runs a
correlated subquery only if it can make a join of it itself, and an outer join
only if its condition has an equality.
*/ -}}

{{define "counted"}}
  {{- template "of lanes" .}}
  union all
  {{template "lost" .}}
{{- end}}

{{define "of lanes"}}
  {{- template "accepted" .}}
  union all
  {{template "outcomes" .}}
  union all
  {{template "replayed" .}}
  union all
  {{template "gone" .}}
  union all
  {{template "waiting" .}}
{{- end}}

{{- /* Joins rows r to the life of the lane whose events they are. */ -}}
{{define "lane of r"}}join {{.Table "lanes"}} as l on l.run = 0 and l.epoch = r.epoch
    and (r.seq > l.startSeq or (r.seq = l.startSeq and r.idx >= l.startIdx))
    and (not l.closed or r.seq < l.markSeq or (r.seq = l.markSeq and r.idx < l.markIdx)){{end}}

{{define "these rows"}}{{with .Rows}} and {{.}}{{end}}{{end}}

{{- /* A day without sums is not in the reconciliation. */ -}}
{{define "counted day"}}{{if eq .Epochs "latest"}} and day in (select day from {{.Table "counted_days"}}){{end}}{{end}}

{{define "counted r day"}}{{if eq .Epochs "latest"}} and r.day in (select day from {{.Table "counted_days"}}){{end}}{{end}}

{{- /* The epoch of the journal that is there now, as a table of one row. */ -}}
{{define "latest epoch"}}(select epoch from {{.Table "positions"}} where stream = 'events' order by loaded desc limit 1){{end}}

{{define "accepted"}}select r.day, r.source, r.event, l.tracker, case when r.duplicate then 'duplicate' else 'accepted' end as outcome, '' as reason, count(*) as n
  from {{.Days "raw"}} as r
  {{template "lane of r" .}}
  where true{{template "these rows" .}}
  group by r.day, r.source, r.event, l.tracker, r.duplicate
{{- end}}

{{- /* The outcome of each event's highest run. */ -}}
{{define "outcomes"}}select r.day, r.source, r.event, r.tracker, r.outcome, {{.SumReason "r.reason"}} as reason, count(*) as n
  from {{.CountedDeliveries}} as r
  {{template "lane of r" .}} and l.tracker = r.tracker
  left join (
    select day, epoch, seq, idx, tracker, max(run) as run from {{.Days "deliveries"}} as r where run > 0{{template "these rows" .}} group by day, epoch, seq, idx, tracker
  ) as last on last.day = r.day and last.epoch = r.epoch and last.seq = r.seq and last.idx = r.idx and last.tracker = r.tracker
  where r.run = coalesce(last.run, 0){{template "these rows" .}}
  group by r.day, r.source, r.event, r.tracker, r.outcome, {{.SumReason "r.reason"}}
{{- end}}

{{- /*
Takes back from filtered the events that the lane only counted, as far as a
replay gave them an outcome: those below its watermark that have none of the
lane and are not parked.
*/ -}}
{{define "replayed"}}select r.day, r.source, r.event, r.tracker, 'filtered' as outcome, 'replayed' as reason, 0 - count(*) as n
  from (
    select distinct r.day, r.source, r.event, r.tracker, r.epoch, r.seq, r.idx from {{.CountedDeliveries}} as r where r.run > 0{{template "these rows" .}}
  ) as r
  {{template "lane of r" .}} and l.tracker = r.tracker and (r.seq < l.markSeq or (r.seq = l.markSeq and r.idx < l.markIdx))
  left join {{.Days "deliveries"}} as own on own.run = 0 and own.tracker = r.tracker and {{template "same event" "own"}}
  left join {{.Table "parked"}} as p on p.run = 0 and p.tracker = r.tracker and p.epoch = r.epoch and p.seq = r.seq and p.idx = r.idx
  left join {{.Table "gaps"}} as g on g.run = 0 and g.tracker = r.tracker and g.epoch = r.epoch
    and (r.seq > g.fromSeq or (r.seq = g.fromSeq and r.idx >= g.fromIdx)) and (r.seq < g.toSeq or (r.seq = g.toSeq and r.idx < g.toIdx))
  where own.tracker is null and p.tracker is null and g.tracker is null
  group by r.day, r.source, r.event, r.tracker
{{- end}}

{{define "same event"}}{{.}}.day = r.day and {{.}}.epoch = r.epoch and {{.}}.seq = r.seq and {{.}}.idx = r.idx{{end}}

{{- /* Events that had left the journal when the lane came to them. */ -}}
{{define "gone"}}select r.day, r.source, r.event, l.tracker, 'expired' as outcome, 'left the journal before it could be sent' as reason, count(*) as n
  from (select distinct tracker, epoch, fromSeq, fromIdx, toSeq, toIdx from {{.Table "gaps"}} where run = 0) as g
  join {{.Days "raw"}} as r on r.epoch = g.epoch
    and (r.seq > g.fromSeq or (r.seq = g.fromSeq and r.idx >= g.fromIdx)) and (r.seq < g.toSeq or (r.seq = g.toSeq and r.idx < g.toIdx))
  {{template "lane of r" .}} and l.tracker = g.tracker
  left join {{.Days "deliveries"}} as d on d.tracker = g.tracker and {{template "same event" "d"}}
  where not r.duplicate and d.tracker is null{{template "these rows" .}}
  group by r.day, r.source, r.event, l.tracker
{{- end}}

{{- /*
Events without an outcome: ahead of their lane, or parked. They are pending; in a
journal that another one has replaced they are expired, for no lane finds them.
.Epochs names which are meant: "latest" or "replaced", "" for both. Both tables
are cut to what lies beyond the slowest lane first: that is little, and all the rest.
*/ -}}
{{define "waiting"}}select r.day, r.source, r.event, l.tracker, {{template "waiting outcome"}}, count(*) as n
  from (select * from {{.Days "raw"}} as r where seq >= {{template "slowest" .}}{{template "these rows" .}}{{template "counted day" .}}) as r
  {{template "lane of r" .}} and (r.seq > l.markSeq or (r.seq = l.markSeq and r.idx >= l.markIdx)) and not l.closed
  cross join {{template "latest epoch" .}} as latest
  left join (select * from {{.Days "deliveries"}} as r where seq >= {{template "slowest" .}}{{template "these rows" .}}) as d on d.tracker = l.tracker and {{template "same event" "d"}}
  where not r.duplicate and d.tracker is null{{template "of the epochs" .}}
  group by r.day, r.source, r.event, l.tracker, l.epoch, latest.epoch
  union all
  select r.day, r.source, r.event, l.tracker, {{template "waiting outcome"}}, count(*) as n
  from {{.Table "parked"}} as p
  join {{.Days "raw"}} as r on r.epoch = p.epoch and r.seq = p.seq and r.idx = p.idx
  {{template "lane of r" .}} and l.tracker = p.tracker and (r.seq < l.markSeq or (r.seq = l.markSeq and r.idx < l.markIdx))
  cross join {{template "latest epoch" .}} as latest
  left join {{.Days "deliveries"}} as d on d.tracker = p.tracker and {{template "same event" "d"}}
  where p.run = 0 and not r.duplicate and d.tracker is null{{template "these rows" .}}{{template "counted r day" .}}{{template "of the epochs" .}}
  group by r.day, r.source, r.event, l.tracker, l.epoch, latest.epoch
{{- end}}

{{define "waiting outcome"}}case when l.epoch = latest.epoch then 'pending' else 'expired' end as outcome,
    case when l.epoch = latest.epoch then '' else 'another journal replaced the one it waited in' end as reason{{end}}

{{define "slowest"}}(select min(markSeq) from {{.Table "lanes"}} where run = 0 and not closed{{if eq .Epochs "latest"}} and epoch = {{template "latest epoch" .}}{{end}}){{end}}

{{define "of the epochs"}}{{if eq .Epochs "latest"}} and l.epoch = latest.epoch{{else if eq .Epochs "replaced"}} and l.epoch <> latest.epoch{{end}}{{end}}

{{- /*
What browsers gave up before they could send it, as their SDK reports: the
property count of events of one name. A client could write anything, so that a
count is believed between 1 and .MostLost.
*/ -}}
{{define "lost"}}select told.day, told.source, {{.Literal .LostEvent}} as event, {{.Literal .LostTracker}} as tracker, 'lost' as outcome, '' as reason, sum(told.n) as n
  from (
    select r.day, r.source, {{.LostCount}} as n
    from (select day, source, data{{.LostInner}} from {{.Days "raw"}} as r where usable and not duplicate and event = {{.Literal .LostEvent}}{{template "these rows" .}}) as r
  ) as told
  where told.n between 1 and {{.MostLost}}
  group by told.day, told.source
{{- end}}
