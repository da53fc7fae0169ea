package command

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
)

func reconcileCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Say, for each day, event and tracker, where every event went",
		Long: `Prints, for each day, event name and tracker: how many events were accepted and
how many of them were delivered, filtered, rejected, expired, are uncertain or
pending. "unaccounted" is what is left, and is 0. Drift is the share of events
that should have reached the vendor and did not. "lost", of the tracker
(browser), is what browsers gave up before they could send it.

With --verify it counts the sums that this reads again, from the rows, prints
those that differ, and then fails. It reads all rows of the days.`,
		Example: "  sparrow reconcile --since 24h\n  sparrow reconcile --since 168h --verify\n  sparrow reconcile --since 2026-11-01T00:00:00Z --format csv",
		Args:    exactArgs(),
	}
	format := addFormat(cmd)
	since := cmd.Flags().String("since", "24h", "a duration back from now, or an RFC 3339 time; whole days are shown")
	verify := cmd.Flags().Bool("verify", false, "count the sums again from the rows, and print those that differ")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(*format); err != nil {
			return err
		}
		from, err := parseSince(*since, time.Now())
		if err != nil {
			return err
		}
		ops, err := s.stored(cmd.Context())
		if err != nil {
			return err
		}
		defer ops.Close()
		if *verify {
			v, err := ops.Verify(cmd.Context(), from)
			if err != nil {
				return err
			}
			return printVerification(cmd.OutOrStdout(), v, *format)
		}
		table, err := ops.Reconcile(cmd.Context(), from)
		if err != nil {
			return err
		}
		return printTable(cmd.OutOrStdout(), table, *format)
	}
	return cmd
}

// printVerification prints the sums that differ, which is an error. The table
// format, for people, says it in words when there are none.
func printVerification(out io.Writer, v admin.Verification, format string) error {
	n := len(v.Differences.Rows)
	if n == 0 && format == "table" {
		text := fmt.Sprintf("no differences in %d days\n", v.Days)
		if !v.KeepsSums {
			text = "nothing to verify: this warehouse keeps no sums, so that reconcile counts the rows anyway\n"
		}
		_, err := io.WriteString(out, text)
		return err
	}
	if err := printTable(out, &v.Differences, format); err != nil || n == 0 {
		return err
	}
	return fmt.Errorf("%d sums do not agree with their rows", n)
}

func parseSince(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	return time.Time{}, usagef("--since %q: want a duration such as 24h, or a time such as 2026-11-01T00:00:00Z", s)
}
