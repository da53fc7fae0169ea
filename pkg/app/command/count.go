package command

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

func countCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "count",
		Short: "Count the sums of days that an earlier release loaded into BigQuery",
		Long: `Counts, from their rows, the sums of days that have none: those that a release
loaded which kept no sums. Until then these days are not in the reconciliation.
BigQuery bills what this reads; --dry-run says how many bytes that would be, day by
day, and counts nothing. A DuckDB file counts its old days by itself.`,
		Example: "  sparrow warehouse count --dry-run\n  sparrow warehouse count --since 720h",
		Args:    exactArgs(),
	}
	since := cmd.Flags().String("since", "9600h", "a duration back from now, or an RFC 3339 time; whole days are counted")
	dry := cmd.Flags().Bool("dry-run", false, "say how many bytes it would read, and count nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		from, err := parseSince(*since, time.Now())
		if err != nil {
			return err
		}
		ops, err := s.stored(cmd.Context())
		if err != nil {
			return err
		}
		defer ops.Close()
		days, err := ops.UncountedDays(cmd.Context(), from)
		if err != nil {
			return err
		}
		total := quantity.Size(0)
		for i := len(days) - 1; i >= 0; i-- { // the newest first
			d := days[i]
			total += quantity.Size(d.Bytes)
			if !*dry {
				day, err := time.Parse(time.DateOnly, d.Day)
				if err != nil {
					return err
				}
				if _, err := ops.CountDay(cmd.Context(), day); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s  %d bytes\n", d.Day, d.Bytes)
		}
		what := "counted"
		if *dry {
			what = "to count; nothing was read for it"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d days, %d bytes: %s\n", len(days), total, what)
		return nil
	}
	return cmd
}
