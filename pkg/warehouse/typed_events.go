package warehouse

// The table events keeps the normalized events typed, for adapters that fill it
// as they load: a question then reads columns instead of parsing JSON. Its
// columns are, in this order:
//
//   - day, epoch, seq, idx: of the record, as in raw;
//   - those of raw_normalized before the plan's;
//   - pageUrl, pagePath, pageReferrer, pageTitle, sessionId: of the context;
//   - one for each property of the plan, named after its column in
//     raw_normalized with TypedPrefix before it.
//
// It holds what raw holds, and can be made of it again.
//
// A row whose columns cannot be made, whatever the error of the warehouse is, has
// NULLs (Typing) and is counted. It fails neither a load nor a backfill.

// Typing is how much of the columns of a row of events is made; the rest is NULL.
type Typing int

// The typings, each of which can fail for fewer reasons than the one before.
const (
	TypedFully  Typing = iota
	TypedCore          // without the plan's columns
	TypedStored        // only what raw has in columns; the timestamp is the receipt time
)

// TypedPrefix begins the names of the plan's columns in events, so that no
// property collides with another column.
const TypedPrefix = "properties."

// TypedPlace are the columns of events that say which record a row is of.
func TypedPlace() []string { return []string{"day", "epoch", "seq", "idx"} }

// TypedColumn is a column of the table events.
type TypedColumn struct {
	Name string
	Type Type
}

// TypedColumns are the columns of the table events after those of TypedPlace, as
// far as they are made.
func TypedColumns(d Dialect, columns []Column, typing Typing) []TypedColumn {
	var list []TypedColumn
	for _, f := range typedFields(d, columns, typing) {
		kind := f.kind
		if f.name == "timestamp" {
			kind = TypeTimestamp
		}
		list = append(list, TypedColumn{f.name, kind})
	}
	return list
}

// TypedSelect reads the rows of events, columns in the order of TypedPlace and
// TypedColumns, from the rows r of raw that meet a condition.
func TypedSelect(d Dialect, columns []Column, typing Typing, rows string) string {
	return selectFields(d, typedFields(d, columns, typing), TypedPlace(), rows)
}

func typedFields(d Dialect, columns []Column, typing Typing) []field {
	list := fields(d, nil)
	switch typing {
	case TypedCore:
		columns = nil
	case TypedStored:
		return storedFields(list)
	}
	for _, member := range []struct {
		name string
		path Path
	}{
		{"pageUrl", Path{"context", "page", "url"}},
		{"pagePath", Path{"context", "page", "path"}},
		{"pageReferrer", Path{"context", "page", "referrer"}},
		{"pageTitle", Path{"context", "page", "title"}},
		{"sessionId", Path{"context", "sessionId"}},
	} {
		list = append(list, field{name: member.name, path: member.path, kind: TypeString})
	}
	for _, c := range columns {
		list = append(list, field{name: TypedPrefix + c.Name, path: Path{"properties", c.Property}, kind: c.Type})
	}
	return list
}

// storedFields are the fields that raw has in columns.
func storedFields(list []field) []field {
	column := func(name string) func(string) string { return func(string) string { return "r." + name } }
	var stored []field
	for _, f := range list {
		switch {
		case f.name == "event":
			f.path, f.expr = nil, column("event")
		case f.name == "timestamp":
			f.path, f.expr = nil, column("receivedAt")
		case f.path != nil:
			continue
		}
		stored = append(stored, f)
	}
	return stored
}

// NormalizedViewOf is NormalizedView over the table events, but for the rows r
// that meet the condition unfilled, "" for none: these are read from raw.
func NormalizedViewOf(d Dialect, columns []Column, unfilled string) View {
	view := NormalizedView(d, columns)
	fromRaw := selectFields(d, fields(d, columns), nil, unfilled)
	first := len(fields(d, nil))
	sel := "select "
	for i, c := range view.Columns {
		if i > 0 {
			sel += ", "
		}
		if i < first {
			sel += "r." + d.Quote(c.Name)
		} else {
			sel += "r." + d.Quote(TypedPrefix+c.Name) + " as " + d.Quote(c.Name)
		}
	}
	view.Select = sel + " from " + d.Table("events") + " as r"
	if unfilled != "" {
		view.Select += " where not (" + unfilled + ")\nunion all\n" + fromRaw
	}
	return view
}
