package sanitizer

import (
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Value sanitises a value: every string in it at any depth, with the names of
// members, and numbers that are a card's. It changes the value's slices in place. Of
// members whose names become the same only the first stays.
func (s *Sanitizer) Value(v event.Value, h Hint) (event.Value, Kinds) {
	var found Kinds
	switch v.Kind {
	case event.String:
		v.Text, found = s.Text(v.Text, h)
	case event.Number:
		if h.Allow&Card == 0 && numberIsCard(v.Text) {
			return event.StringValue("[card]"), Card
		}
		if h.phone && h.Allow&Phone == 0 && s.isPhoneProperty(v.Text) {
			return event.StringValue("[phone]"), Phone
		}
	case event.Array:
		for i := range v.Items {
			var kinds Kinds
			v.Items[i], kinds = s.Value(v.Items[i], h)
			found |= kinds
		}
	case event.Object:
		v.Fields, found = s.fields(v.Fields, h)
	}
	return v, found
}

func (s *Sanitizer) fields(fields []event.Property, h Hint) ([]event.Property, Kinds) {
	var found Kinds
	renamed := false
	for i := range fields {
		f := &fields[i]
		name, kinds := s.Text(f.Name, h)
		renamed = renamed || kinds != 0
		found |= kinds
		inner := HintFor(f.Name, h.Allow)
		inner.Version = h.Version || inner.Version
		f.Value, kinds = s.Value(f.Value, inner)
		f.Name = name
		found |= kinds
	}
	if renamed {
		fields = unique(fields)
	}
	return fields, found
}

func unique(fields []event.Property) []event.Property {
	seen := make(map[string]bool, len(fields))
	kept := fields[:0]
	for _, f := range fields {
		if !seen[f.Name] {
			seen[f.Name] = true
			kept = append(kept, f)
		}
	}
	return kept
}
