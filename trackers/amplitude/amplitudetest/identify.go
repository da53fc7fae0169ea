package amplitudetest

import "slices"

// operations are what $identify does with a user's properties, and $groupidentify
// with a group's (Identify API, user_properties keys and operations).
func operations() []string {
	return []string{"$set", "$setOnce", "$add", "$append", "$prepend", "$unset", "$preInsert", "$postInsert", "$remove", "$clearAll"}
}

// special names what is wrong with the members that $identify and $groupidentify
// give a meaning to: these events must have operations only, all others none.
func (e sentEvent) special() []string {
	var names []string
	properties, _ := e.members["user_properties"].(map[string]any)
	switch e.text("event_type") {
	case "$identify":
		if e.members["user_properties"] == nil || !operate(properties) {
			names = append(names, "user_properties")
		}
	case "$groupidentify":
		groups, _ := e.members["groups"].(map[string]any)
		of, ok := e.members["group_properties"].(map[string]any)
		if len(groups) != 1 {
			names = append(names, "groups")
		}
		if !ok || !operate(of) {
			names = append(names, "group_properties")
		}
	default:
		for _, operation := range operations() {
			if _, there := properties[operation]; there {
				return append(names, "user_properties")
			}
		}
	}
	return names
}

// operate reports whether all members are operations on an object of properties.
func operate(properties map[string]any) bool {
	for name, value := range properties {
		_, object := value.(map[string]any)
		if !slices.Contains(operations(), name) || !object && name != "$clearAll" {
			return false
		}
	}
	return true
}
