package trackertest

// Clauses names every clause of the suite, in order.
func Clauses() []string {
	var names []string
	for _, c := range clauses() {
		names = append(names, c.name)
	}
	return names
}

// FaultsOf returns the faults that Run would show for one clause. With it the suite
// itself is tested against broken trackers.
func FaultsOf(spec Spec, name string) []string {
	for _, c := range clauses() {
		if c.name == name {
			return faultsOf(spec, c)
		}
	}
	return []string{"no clause is named " + name}
}

// Faults returns the faults that Run would show, by clause.
func Faults(spec Spec) map[string][]string {
	faults := map[string][]string{}
	for _, c := range clauses() {
		if found := faultsOf(spec, c); len(found) > 0 {
			faults[c.name] = found
		}
	}
	return faults
}
