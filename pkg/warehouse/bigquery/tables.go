package bigquery

import (
	"slices"
	"strings"
	"time"

	rest "cloud.google.com/go/bigquery"
)

// table is a table that rows are appended to.
type table struct {
	name        string
	description string
	day         string // column that partitions by day
	cluster     []string
	columns     []column
	keep        bool // its partitions do not expire: its newest rows stay valid
	whole       bool // rows appended together go in one request: all are stored, or none
}

// column is a column of a table. All are nullable, as columns that are added
// later must be.
type column struct {
	name, description string
	kind              rest.FieldType
}

func text(name, description string) column   { return column{name, description, rest.StringFieldType} }
func number(name, description string) column { return column{name, description, rest.IntegerFieldType} }
func flag(name, description string) column   { return column{name, description, rest.BooleanFieldType} }
func date(name, description string) column   { return column{name, description, rest.DateFieldType} }
func instant(name, description string) column {
	return column{name, description, rest.TimestampFieldType}
}

// The tables. The order of a table's columns is the order in which its rows are
// encoded; columns are only ever added at the end.
var (
	rawTable = &table{
		name: "raw", description: "Every payload as the client sent it: the source of truth.", day: "timestamp", cluster: []string{"source", "event"},
		columns: []column{
			text("eventId", "The client's id of the event, or one made at receipt."),
			instant("timestamp", "When it was received, UTC."),
			text("data", "The event's bytes as the client sent them; base64 where context.encoding says so; NULL in quarantine."),
			text("receipt", "The id by which the event is accounted for: epoch, sequence, index."),
			text("source", "The source whose key was used."),
			text("context", "What the gateway saw of the request, as JSON."),
			flag("duplicate", "A record with this source and eventId came before: sent to no vendor."),
			date("day", "UTC day of receipt."),
			text("epoch", "The receipt's journal."),
			number("seq", "The receipt's sequence in the journal."),
			number("idx", "The receipt's index within its message."),
			text("event", "The event's name as it is counted; names beyond the first 1,000 of a source and day are (other)."),
			flag("usable", "It keeps the event contract, and its data is here."),
			text("translated", "The event in Sparrow's own form, where the data has the format that context.format names."),
		},
	}
	deliveriesTable = &table{
		name: "deliveries", description: "What became of each event at each tracker that it was meant for.", day: "day", cluster: []string{"tracker", "outcome"},
		columns: []column{
			text("receipt", "The event's receipt, as in raw."),
			text("eventId", "The event's id, as in raw."),
			text("tracker", "The tracker's name."),
			text("outcome", "delivered, filtered, rejected, expired or uncertain."),
			text("reason", "Why, for people."),
			number("status", "The vendor's HTTP status; NULL for none."),
			text("error", "The vendor's answer, sanitised, at most 1,000 bytes."),
			number("attempts", "How often it was sent."),
			instant("timestamp", "When the outcome was decided, UTC."),
			number("latencyMs", "Milliseconds of the last attempt."),
			number("run", "0 the lane, n the n-th replay; the highest is final."),
			text("plan", "Version of the tracking plan."),
			text("release", "Sparrow's release."),
			date("day", "UTC day of the event's receipt."),
			text("epoch", "The receipt's journal."),
			number("seq", "The receipt's sequence."),
			number("idx", "The receipt's index."),
			text("reportEpoch", "The journal of the report that told it."),
			number("reportSeq", "The report's sequence."),
			text("source", "The source, as in raw; NULL in rows of earlier releases, and for a duplicate."),
			text("event", "The event's name as it is counted, as in raw; NULL where source is."),
		},
	}
	filteredTable = &table{
		name: "filtered_log", description: "Counts of what plan, consent or a filter held back, as lanes reported them; filtered has the sums.", day: "day", cluster: []string{"tracker", "source"},
		columns: []column{
			date("day", "UTC day of the events' receipt."), text("source", "The source."), text("event", "The event's name."),
			text("tracker", "The tracker's name."), text("reason", "What held them back."), text("plan", "Version of the tracking plan."),
			number("count", "How many, in this report."), number("run", "0 the lane, n the n-th replay."),
			text("reportEpoch", "The report's journal."), number("reportSeq", "The report's sequence."),
		},
	}
	leaksTable = &table{
		name: "leaks_log", description: "Counts of personal data and secrets that were removed, as lanes reported them; leaks has the sums.", day: "day", cluster: []string{"tracker", "source"},
		columns: []column{
			date("day", "UTC day of the events' receipt."), text("source", "The source."), text("event", "The event's name."),
			text("property", "Where it was."), text("kind", "What it was: email, card."), text("tracker", "The tracker's name."),
			number("count", "How many, in this report."), number("run", "0 the lane, n the n-th replay."),
			text("reportEpoch", "The report's journal."), number("reportSeq", "The report's sequence."),
		},
	}
	gapsTable = &table{
		name: "gaps_log", description: "Ranges of a journal that lanes could not read; gaps has each once.", day: "stored", cluster: []string{"tracker"}, keep: true,
		columns: []column{
			text("tracker", "The tracker's name."), text("epoch", "The journal of the events."), number("run", "0 the lane, n the n-th replay."),
			number("fromSeq", "The first position that is missing: sequence."), number("fromIdx", "And index."),
			number("toSeq", "The position after the last: sequence."), number("toIdx", "And index."),
			text("reportEpoch", "The report's journal."), number("reportSeq", "The report's sequence."), instant("stored", "When, UTC."),
		},
	}
	lanesTable = &table{
		name: "lanes_log", description: "States of lanes and replays, one after another; lanes and parked have the newest.", day: "reported", cluster: []string{"tracker"}, keep: true,
		columns: []column{
			text("tracker", "The tracker's name."), text("epoch", "The journal of the events."), number("run", "0 the lane, n the n-th replay."),
			number("startSeq", "Where the lane began: sequence."), number("startIdx", "And index."),
			number("markSeq", "Up to here every event has an outcome or is parked: sequence."), number("markIdx", "And index."),
			flag("closed", "The tracker was removed."), text("plan", "Version of the tracking plan."), text("release", "Sparrow's release."),
			instant("reported", "When the lane reported, UTC."),
			text("parked", "The events that wait for another attempt, a JSON array."),
			text("reportEpoch", "The report's journal."), number("reportSeq", "The report's sequence."),
		},
	}
	namesTable = &table{
		name: "names_log", description: "Event names that are counted apart; names has each once.", day: "day", cluster: []string{"source"},
		columns: []column{date("day", "UTC day."), text("source", "The source."), text("event", "The event's name.")},
	}
	plansTable = &table{
		name: "plans_log", description: "Texts of tracking plans; plans has each version once.", day: "seen", keep: true,
		columns: []column{text("version", "The plan's version."), text("text", "Its text."), instant("seen", "When it came into force, UTC.")},
	}
	columnsTable = &table{
		name: "columns_log", description: "The columns of raw_normalized, set after set; columns has the newest set.", day: "applied", keep: true, whole: true,
		columns: []column{
			number("version", "Of the set."), number("ordinal", "The column's place; -1 in a set without columns."), text("name", "The column's name."),
			text("property", "The property's name, as clients write it."), text("type", "The property's type."), text("description", "What it means."),
			instant("applied", "When the set was applied, UTC."),
		},
	}
	positionsTable = &table{
		name: "positions_log", description: "The commits of loading, one after another; the one with the highest version holds.", day: "loaded", keep: true,
		columns: []column{
			number("version", "One more than that of the commit before."), text("state", "Marks and streams, as JSON."), instant("loaded", "When, UTC."),
			text("sums", "What the commit adds to the sums, as JSON: a list of day, source, event, tracker, outcome, reason, n."),
		},
	}
	sumsTable = &table{
		name: "sums_log", description: "The sums of days, version after version; sums adds what newer commits say to the newest.", day: "day", cluster: []string{"source", "event"},
		columns: []column{
			date("day", "UTC day of the events' receipt."), text("source", "The source."), text("event", "The event's name."),
			text("tracker", "The tracker's name."), text("outcome", "What became of the events; accepted and duplicate are outcomes, too."),
			text("reason", "Why, up to the first colon."), number("n", "How many events."),
			number("version", "The commit up to which they are counted."), instant("folded", "When, UTC."),
		},
	}
	quarantineTable = &table{
		name: "quarantine_log", description: "Rows whose data can never be stored; quarantine has each once.", day: "timestamp", cluster: []string{"source"},
		columns: []column{
			text("receipt", "The event's receipt."), text("eventId", "The event's id."), instant("timestamp", "When it was received, UTC."),
			text("source", "The source."), text("reason", "Why it is here."), number("bytes", "Length of its data."), instant("quarantined", "When, UTC."),
		},
	}
)

// tables are all of them, in the order in which they are made.
var tables = [...]*table{
	rawTable, deliveriesTable, filteredTable, leaksTable, gapsTable, lanesTable, namesTable, plansTable, columnsTable, positionsTable, sumsTable, quarantineTable,
}

// counted are the tables whose rows after a stream position are a fixed sequence.
// The first follows the events' position, the others the outcomes'.
var counted = [...]*table{rawTable, deliveriesTable, filteredTable, leaksTable}

// field is the column as the REST API describes it.
func (c column) field() *rest.FieldSchema {
	return &rest.FieldSchema{Name: c.name, Type: c.kind, Description: c.description}
}

// metadata describes the table for the REST API. Its partitions expire after
// expiry; 0 keeps them.
func (t *table) metadata(expiry time.Duration) *rest.TableMetadata {
	m := &rest.TableMetadata{
		Description:      t.description,
		TimePartitioning: &rest.TimePartitioning{Type: rest.DayPartitioningType, Field: t.day, Expiration: expiry},
	}
	for _, c := range t.columns {
		m.Schema = append(m.Schema, c.field())
	}
	if len(t.cluster) > 0 {
		m.Clustering = &rest.Clustering{Fields: t.cluster}
	}
	return m
}

// in reports whether a schema has the column, in any letter case.
func (c column) in(schema rest.Schema) bool {
	return slices.ContainsFunc(schema, func(f *rest.FieldSchema) bool { return strings.EqualFold(f.Name, c.name) })
}
