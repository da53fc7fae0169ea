package gateway

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// row reads the values of a result's row by column name.
type row struct {
	columns []warehouse.ResultColumn
	values  []any
}

func rowsOf(r *warehouse.Result) []row {
	rows := make([]row, len(r.Rows))
	for i := range r.Rows {
		rows[i] = row{r.Columns, r.Rows[i]}
	}
	return rows
}

func (r row) value(name string) any {
	for i, c := range r.columns {
		if c.Name == name {
			return r.values[i]
		}
	}
	return nil
}

func (r row) text(name string) string {
	if v := r.value(name); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

func (r row) number(name string) uint64 {
	n, ok := r.value(name).(json.Number)
	if !ok {
		return 0
	}
	v, err := n.Int64()
	if err != nil || v < 0 {
		return 0
	}
	return uint64(v)
}

func (r row) flag(name string) bool {
	v, _ := r.value(name).(bool)
	return v
}

// time reads a column that is RFC 3339; the zero time for NULL.
func (r row) time(name string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, r.text(name))
	if err != nil {
		return time.Time{}
	}
	return t
}
