package command

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
)

func trackersCommand(s *invocation) *cobra.Command {
	return asGroup(&cobra.Command{
		Use:     "trackers",
		Short:   "List the trackers, show what one would send, or close one that was removed",
		Example: "  sparrow trackers list\n  sparrow trackers preview event.json\n  sparrow trackers remove heap",
	}, trackersListCommand(s), trackersPreviewCommand(s), trackersRemoveCommand(s))
}

func trackersListCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show each tracker's state, position, backlog and outcomes",
		Long: `Shows each tracker's lane: whether it runs or what it waits for, its position in
the journal, how many records lie before it, how far behind it is, and the
outcomes since the gateway was started.`,
		Example: "  sparrow trackers list\n  sparrow trackers list --format json",
		Args:    exactArgs(),
	}
	format := addFormat(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(*format); err != nil {
			return err
		}
		client, err := s.running(cmd.Context())
		if err != nil {
			return err
		}
		defer client.Close()
		list, err := client.Trackers(cmd.Context())
		if err != nil {
			return err
		}
		return printTable(cmd.OutOrStdout(), trackerTable(list), *format)
	}
	return cmd
}

func trackerTable(list []admin.TrackerStatus) *admin.Table {
	t := &admin.Table{}
	for _, name := range []string{"tracker", "kind", "mode", "state", "position", "backlog", "parked", "lag", "outcomes"} {
		t.Columns = append(t.Columns, admin.Column{Name: name})
	}
	for _, l := range list {
		t.Rows = append(t.Rows, []any{
			l.Name, l.Kind, l.Mode, l.State, l.Position, json.Number(fmt.Sprint(l.Backlog)), json.Number(fmt.Sprint(l.Parked)),
			fmt.Sprintf("%.1fs", l.LagSeconds), outcomeText(l.Outcomes),
		})
	}
	return t
}

func outcomeText(counts map[string]uint64) string {
	var parts []string
	for outcome, n := range counts {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", outcome, n))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func trackersRemoveCommand(s *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Close a tracker that is no longer configured: what waits for it expires",
		Long: `Closes the lane of a tracker. Take the tracker out of the configuration first;
until it is closed, its backlog is kept for it in the journal, so that a mistake
in the configuration loses nothing. Closing gives every event that still waits
for it the outcome "expired: tracker removed" and lets the journal forget them.`,
		Example: "  sparrow trackers remove heap",
		Args:    exactArgs("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := s.running(cmd.Context())
			if err != nil {
				return err
			}
			defer client.Close()
			removal, err := client.RemoveTracker(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is closed; %d event(s) that waited for it are expired\n", removal.Tracker, removal.Expired)
			return nil
		},
	}
}
