package command

import "github.com/spf13/cobra"

func queryCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "query SQL",
		Short: "Run one read-only SQL statement on the warehouse",
		Long: `Runs one SELECT on the warehouse and prints the result. The running gateway is
asked through its socket; with none running, the stored file is opened, or
BigQuery asked.

Tables and views: raw, deliveries, filtered, leaks, raw_normalized (one row an
event, a column for each property of the plan), reconciliation.`,
		Example: `  sparrow query "select event, count(*) n from raw_normalized group by 1 order by 2 desc"
  sparrow query --format csv "select * from reconciliation" > reconciliation.csv`,
		Args: exactArgs("SQL"),
	}
	format := addFormat(cmd)
	rows := cmd.Flags().Int("max-rows", 10_000, "fail rather than return more rows than this")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format); err != nil {
			return err
		}
		ops, err := s.stored(cmd.Context())
		if err != nil {
			return err
		}
		defer ops.Close()
		table, err := ops.Query(cmd.Context(), args[0], *rows)
		if err != nil {
			return err
		}
		return printTable(cmd.OutOrStdout(), table, *format)
	}
	return cmd
}
