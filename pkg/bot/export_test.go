package bot

import "strings"

// UnusedExceptions are the entries of ambiguous that the list does not have.
func UnusedExceptions() (missing []string) {
	for source := range ambiguous {
		if !strings.Contains(text, "\n"+source+"\n") {
			missing = append(missing, source)
		}
	}
	return missing
}
