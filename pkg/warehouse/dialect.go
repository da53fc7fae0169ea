package warehouse

// Dialect is how a warehouse's SQL says what the views need. Expressions go in
// and come out as SQL text.
type Dialect interface {
	// Table is the name of a table or view, quoted and qualified.
	Table(name string) string
	// Days is a table expression of raw or deliveries: who filters it by the
	// column day reads these days only.
	Days(name string) string
	// Quote is an identifier, whatever it holds.
	Quote(identifier string) string
	// Literal is a string constant, whatever it holds.
	Literal(s string) string
	// Text casts to text.
	Text(expr string) string
	// Extract reads members of the JSON object in the column data; a row whose
	// data cannot be read yields NULLs. inner is what a subquery must select
	// beside data ("" for nothing); texts and values give, outside that
	// subquery, the member of a path as text and as JSON.
	Extract(texts, values []Path) (inner string, text, value func(i int) string)
	// Typed casts a member's text to a type; text that does not fit is NULL.
	Typed(text string, t Type) string
	// EventTime is event.EventTime in SQL. client and receivedAt are timestamps;
	// context is the JSON that may hold sentAt.
	EventTime(client, receivedAt, context string) string
	// DayBefore is the UTC day of so many seconds ago.
	DayBefore(seconds int64) string
	// CountedDeliveries is a table expression of deliveries with the source and
	// event of their raw row: day source event tracker outcome run epoch seq
	// idx. Deliveries without a raw row, or of a duplicate, are left out.
	CountedDeliveries() string
	// KeepsSums says that Load keeps the table sums, which the reconciliation then
	// reads instead of counting the rows.
	KeepsSums() bool
	// SumReason is the part of a delivery's reason that sums tell apart: what comes
	// before the first colon, of which there are few.
	SumReason(reason string) string
	// Div is the quotient as a float, NULL when the divisor is 0.
	Div(dividend, divisor string) string
}

// Path leads from the event to a member, a name a level.
type Path []string

// View is a view's definition.
type View struct {
	Name        string
	Description string
	Select      string // the query
	Columns     []ViewColumn
}

// ViewColumn describes a column of a view.
type ViewColumn struct{ Name, Description string }

// Views are the definitions of all views for a dialect. Columns are those that
// MergeColumns returned.
func Views(d Dialect, columns []Column, settle int64) []View {
	return []View{NormalizedView(d, columns), ReconciliationView(d, settle)}
}
