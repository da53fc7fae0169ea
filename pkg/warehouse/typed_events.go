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

// TypedColumns are the columns of the table events after those of TypedPlace.
func TypedColumns(d Dialect, columns []Column) []TypedColumn {
	var list []TypedColumn
	for _, f := range typedFields(d, columns) {
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
func TypedSelect(d Dialect, columns []Column, rows string) string {
	return selectFields(d, typedFields(d, columns), TypedPlace(), rows)
}

func typedFields(d Dialect, columns []Column) []field {
	list := fields(d, nil)
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
