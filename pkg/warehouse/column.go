package warehouse

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// Type is the type of a column made from a property.
type Type string

// The types. A value that has another type is NULL in the column; the data
// keeps it.
const (
	TypeString    Type = "string"    // text; of a value that is no string, its JSON
	TypeInteger   Type = "integer"   // whole numbers of up to 29 digits
	TypeNumber    Type = "number"    // exact decimals: 29 digits before the point, 9 after it
	TypeBoolean   Type = "boolean"   // true, false
	TypeTimestamp Type = "timestamp" // RFC 3339, in UTC
	TypeJSON      Type = "json"      // any value, as JSON
)

var types = []Type{TypeString, TypeInteger, TypeNumber, TypeBoolean, TypeTimestamp, TypeJSON}

// Column is a column of raw_normalized that holds one property of events.
type Column struct {
	Name        string // of the column; safe, unique in any letter case
	Property    string // the original name, as clients write it
	Type        Type
	Description string
}

// maxColumns bounds the columns that are ever remembered.
const maxColumns = 2000

var reserved = []string{"event", "deviceId", "userId", "timestamp", "receivedAt", "eventId", "receipt", "source"}

// ReservedColumns are the names in raw_normalized that no property can take, in
// any letter case.
func ReservedColumns() []string { return slices.Clone(reserved) }

// MergeColumns is the set of columns after a plan asks for wanted: earlier ones
// keep their place and stay, redefined where wanted has the name, unless drop is
// set. The error is permanent.
func MergeColumns(earlier, wanted []Column, drop bool) ([]Column, error) {
	if err := checkColumns(wanted); err != nil {
		return nil, fault.Permanent(err)
	}
	if drop {
		return slices.Clone(wanted), nil
	}
	merged := slices.Clone(earlier)
	for _, c := range wanted {
		i := slices.IndexFunc(merged, func(m Column) bool { return strings.EqualFold(m.Name, c.Name) })
		if i < 0 {
			merged = append(merged, c)
		} else {
			merged[i] = c
		}
	}
	if len(merged) > maxColumns {
		return nil, fault.Permanent(fmt.Errorf("views: %d columns, %d at most: apply the views with drop to let go of those the plan no longer has", len(merged), maxColumns))
	}
	return merged, nil
}

func checkColumns(columns []Column) error {
	taken := map[string]string{}
	for _, name := range reserved {
		taken[strings.ToLower(name)] = "a name of its own in raw_normalized"
	}
	for _, c := range columns {
		switch {
		case c.Name == "" || len(c.Name) > 300 || !utf8.ValidString(c.Name) || strings.IndexByte(c.Name, 0) >= 0:
			return fmt.Errorf("views: property %q: its column name %q is not usable", c.Property, c.Name)
		case !utf8.ValidString(c.Property) || strings.IndexByte(c.Property, 0) >= 0:
			return fmt.Errorf("views: column %q: its property is not UTF-8 text", c.Name)
		case !slices.Contains(types, c.Type):
			return fmt.Errorf("views: property %q: unknown type %q", c.Property, c.Type)
		}
		key := strings.ToLower(c.Name)
		if other, found := taken[key]; found {
			return fmt.Errorf("views: property %q: its column %q collides with %s: rename the property in the plan", c.Property, c.Name, other)
		}
		taken[key] = fmt.Sprintf("property %q", c.Property)
	}
	return nil
}
