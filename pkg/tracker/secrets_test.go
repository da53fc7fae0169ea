package tracker_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

func TestSecrets(t *testing.T) {
	config := struct {
		Public string
		Key    tracker.Secret
		Nested *struct{ Header map[string]tracker.Secret }
		List   []tracker.Secret
	}{
		Public: "public", Key: "first-secret",
		Nested: &struct{ Header map[string]tracker.Secret }{map[string]tracker.Secret{"a": "second-secret"}},
		List:   []tracker.Secret{"third-secret", "abc"},
	}
	want := []string{"first-secret", "second-secret", "third-secret"}
	if got := tracker.Secrets(&config); !cmp.Equal(got, want) {
		t.Errorf("Secrets = %q, want %q", got, want)
	}
}
