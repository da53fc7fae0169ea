package bigquery

import (
	"fmt"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// coveredBy joins rows g of a log to positions: only what these cover is left.
func coveredBy(positions string) string {
	return fmt.Sprintf("join %s as c on c.stream = 'outcomes' and c.epoch = g.reportEpoch and g.reportSeq < c.seq", positions)
}

// newestLaneStates are the rows of lanes_log that hold, as far as positions cover them.
func (d Dialect) newestLaneStates(positions string) string {
	return fmt.Sprintf(`select g.* from %s as g %s where true
  qualify row_number() over (partition by g.tracker, g.epoch, g.run, g.startSeq, g.startIdx order by c.loaded desc, g.reportSeq desc) = 1`, d.Table(lanesTable.name), coveredBy(positions))
}

func lanesOf(states string) string {
	return fmt.Sprintf("select tracker, epoch, run, startSeq, startIdx, markSeq, markIdx, closed, plan, release, reported from (%s) as l", states)
}

func parkedOf(states string) string {
	return fmt.Sprintf(`select l.tracker, l.epoch, l.run, cast(json_value(p, '$.seq') as int64) as seq, cast(json_value(p, '$.idx') as int64) as idx, json_value(p, '$.receipt') as receipt,
  safe_cast(json_value(p, '$.due') as timestamp) as due, safe_cast(json_value(p, '$.since') as timestamp) as since, cast(json_value(p, '$.attempts') as int64) as attempts
from (%s) as l, unnest(json_query_array(l.parked, '$')) as p`, states)
}

func (d Dialect) gapsOf(positions string) string {
	return fmt.Sprintf("select distinct g.tracker, g.epoch, g.run, g.fromSeq, g.fromIdx, g.toSeq, g.toIdx from %s as g %s", d.Table(gapsTable.name), coveredBy(positions))
}

// logViews are the views of the logs: the newest of rows that replace each other,
// and the sums of counts. They leave out what no commit covers.
func (d Dialect) logViews() []warehouse.View {
	newest := fmt.Sprintf("(select state from %s order by version desc limit 1)", d.Table(positionsTable.name))
	marks := fmt.Sprintf(`select json_value(m, '$.stream') as stream, json_value(m, '$.epoch') as epoch,
    cast(json_value(m, '$.seq') as int64) as seq, cast(json_value(m, '$.idx') as int64) as idx, cast(json_value(m, '$.loaded') as timestamp) as loaded
  from unnest(json_query_array(%s, '$.marks')) as m`, newest)
	days := fmt.Sprintf(`select day from unnest(json_query_array(%s, '$.sums.counted')) as r,
  unnest(generate_date_array(cast(json_value(r, '$[0]') as date), cast(json_value(r, '$[1]') as date))) as day`, newest)
	positions := d.Table("positions")
	covered, lanes := coveredBy(positions), d.newestLaneStates(positions)
	return []warehouse.View{
		{Name: "positions", Description: "How far each stream of each journal is loaded.", Select: marks, Columns: []warehouse.ViewColumn{
			{Name: "stream", Description: "events or outcomes."}, {Name: "epoch", Description: "The journal."},
			{Name: "seq", Description: "The first position not loaded: sequence."}, {Name: "idx", Description: "And index."}, {Name: "loaded", Description: "When, UTC."},
		}},
		{Name: "filtered", Description: "What plan, consent or a filter held back, counted.", Select: fmt.Sprintf(
			`select g.day, g.source, g.event, g.tracker, g.reason, g.plan, sum(g.count) as count, g.run from %s as g %s
group by g.day, g.source, g.event, g.tracker, g.reason, g.plan, g.run`, d.Table(filteredTable.name), covered), Columns: described(filteredTable)},
		{Name: "leaks", Description: "Personal data and secrets that were removed, counted.", Select: fmt.Sprintf(
			`select g.day, g.source, g.event, g.property, g.kind, g.tracker, sum(g.count) as count, g.run from %s as g %s
group by g.day, g.source, g.event, g.property, g.kind, g.tracker, g.run`, d.Table(leaksTable.name), covered), Columns: described(leaksTable)},
		{Name: "gaps", Description: "Ranges of a journal that lanes could not read.", Select: d.gapsOf(positions), Columns: described(gapsTable)},
		{Name: "lanes", Description: "The newest state of each lane and replay, and the last of a lane's earlier lives.", Select: lanesOf(lanes), Columns: described(lanesTable)},
		{Name: "parked", Description: "The events that wait for another attempt.", Select: parkedOf(lanes), Columns: described(lanesTable)},
		{Name: "counted_days", Description: "The days whose sums are kept.", Select: days, Columns: []warehouse.ViewColumn{{Name: "day", Description: "UTC day."}}},
		{Name: "sums", Description: "How many events of each day, source, event and tracker had which outcome, of the days in counted_days.", Select: fmt.Sprintf(
			`select day, source, event, tracker, outcome, reason, sum(s.n) as n
from (%s) as s
where day in (select day from %s)
group by day, source, event, tracker, outcome, reason
having sum(s.n) <> 0`, d.sumRows("outcome <> '"+firstOutcome+"'", "true"), d.Table("counted_days")), Columns: described(sumsTable)},
		{Name: "names", Description: "Event names that are counted apart.", Select: "select distinct day, source, event from " + d.Table(namesTable.name), Columns: described(namesTable)},
		{Name: "plans", Description: "Texts of tracking plans.", Select: fmt.Sprintf(
			"select version, text, seen from %s where true qualify row_number() over (partition by version order by seen) = 1", d.Table(plansTable.name)), Columns: described(plansTable)},
		{Name: "columns", Description: "The columns of raw_normalized that come from properties.", Select: fmt.Sprintf(
			`select distinct ordinal, name, property, type, description from %[1]s where ordinal >= 0 and version = (select max(version) from %[1]s)`, d.Table(columnsTable.name)), Columns: described(columnsTable)},
		{Name: "quarantine", Description: "Rows whose data can never be stored.", Select: fmt.Sprintf(
			"select receipt, eventId, timestamp, source, reason, bytes, quarantined from %s where true qualify row_number() over (partition by receipt order by quarantined) = 1", d.Table(quarantineTable.name)), Columns: described(quarantineTable)},
	}
}

// described are the descriptions of a log's columns, for the view over it.
func described(t *table) []warehouse.ViewColumn {
	list := make([]warehouse.ViewColumn, len(t.columns))
	for i, c := range t.columns {
		list[i] = warehouse.ViewColumn{Name: c.name, Description: c.description}
	}
	return list
}
