{{- /* The columns are described at ReconciliationView. */ -}}
select day, source, event, tracker, accepted, duplicate, delivered, filtered, rejected, expired, uncertain, pending, unaccounted,
  {{.Div "rejected + expired + uncertain + unaccounted" "accepted - filtered"}} as drift,
  day >= {{.DayBefore .Settle}} as {{.Quote "open"}},
  (select concat(epoch, '-', {{.Text "seq"}}, '-', {{.Text "idx"}}) from {{.Table "positions"}} where stream = 'events' order by loaded desc limit 1) as asOfPosition,
  lost
from (
  select *, accepted - delivered - filtered - rejected - expired - uncertain - pending as unaccounted
  from (
    select day, source, event, tracker
      {{- range .Outcomes}},
      cast(coalesce(sum(case when outcome = '{{.}}' then n end), 0) as bigint) as {{.}}
      {{- end}}
    from (
      {{if .KeepsSums -}}
      select day, source, event, tracker, outcome, reason, n from {{.Table "sums"}}
      union all
      {{template "waiting" .}}
      {{- else -}}
      {{template "counted" .}}
      {{- end}}
      union all
      select day, source, event, tracker, 'filtered' as outcome, reason, sum(count) as n
      from {{.Table "filtered"}}
      where run = 0 and tracker in (select tracker from {{.Table "lanes"}} where run = 0){{template "counted day" .}}
      group by day, source, event, tracker, reason
    ) as part
    group by day, source, event, tracker
  ) as summed
) as checked
where accepted <> 0 or duplicate <> 0 or unaccounted <> 0 or lost <> 0
