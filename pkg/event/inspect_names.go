package event

import "bytes"

// nameStack has the decoded names of the members of all open objects, the innermost
// object's last, to find duplicates.
type nameStack struct {
	names [32][]byte
	count int
}

// nameSet is one object's names: those from first on in the stack or, of an
// object with many members, an index, so that the cost stays linear.
type nameSet struct {
	first int
	index map[string]struct{}
}

func (s *nameStack) open() nameSet { return nameSet{first: s.count} }

func (s *nameStack) drop(set nameSet) { s.count = set.first }

// add puts a name into the innermost open object's set and reports whether it
// is new there.
func (s *nameStack) add(set *nameSet, name []byte) bool {
	if set.index == nil {
		for _, other := range s.names[set.first:s.count] {
			if bytes.Equal(other, name) {
				return false
			}
		}
		if s.count < len(s.names) {
			s.names[s.count] = name
			s.count++
			return true
		}
		set.index = make(map[string]struct{}, 2*len(s.names))
		for _, other := range s.names[set.first:s.count] {
			set.index[string(other)] = struct{}{}
		}
	}
	if _, found := set.index[string(name)]; found {
		return false
	}
	set.index[string(name)] = struct{}{}
	return true
}
