package event_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

func TestTruncateKeepsCharactersWhole(t *testing.T) {
	for _, try := range []struct {
		text  string
		limit int
		want  string
	}{
		{"short", 10, "short"}, {"short", 5, "short"}, {"short", 2, "sh"}, {"", 0, ""}, {"a", 0, ""},
		{"aé", 2, "a"}, {"aé", 3, "aé"}, {"日本", 5, "日"}, {"日本", 2, ""}, {"\x80\x80\x80", 1, ""},
	} {
		if got := event.Truncate(try.text, try.limit); got != try.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", try.text, try.limit, got, try.want)
		}
	}
}
