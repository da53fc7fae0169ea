package trace_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/trace"
)

// TestUserAgentsAreJudgedAlikeEachTime sends more user agents than are
// remembered, twice, and long ones: remembering must change nothing.
func TestUserAgentsAreJudgedAlikeEachTime(t *testing.T) {
	tracer := build(t, shop, trace.Options{})
	for round := range 2 {
		for i := range 5000 {
			for agent, want := range map[string]string{
				fmt.Sprintf("Browser/%d", i):                        fmt.Sprintf("Browser/%d", i),
				fmt.Sprintf("Browser/%d (ann@example.com)", i):      fmt.Sprintf("Browser/%d ([email])", i),
				fmt.Sprintf("crawler %d", i):                        "",
				strings.Repeat("Long", 200) + fmt.Sprintf(" %d", i): strings.Repeat("Long", 200) + fmt.Sprintf(" %d", i),
			} {
				rec := record(realistic)
				rec.Context.UserAgent = agent
				rec.Receipt = event.Receipt{} // or the whole decision would be remembered
				var into event.Event
				d := tracer.Trace(rec, "ga4", &into)
				if want == "" {
					if d.Reason != trace.ReasonBot {
						t.Fatalf("round %d: %q: %+v, want it held back as a bot", round, agent, d)
					}
					continue
				}
				if d.Outcome != event.Pending || into.UserAgent != want {
					t.Fatalf("round %d: %q leaves as %q (%+v), want %q", round, agent, into.UserAgent, d, want)
				}
			}
		}
	}
}
