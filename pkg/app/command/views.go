package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func viewsCommand(s *invocation) *cobra.Command {
	return asGroup(&cobra.Command{
		Use:     "views",
		Short:   "Print or apply the warehouse's views, generated from the plan",
		Example: "  sparrow views print\n  sparrow views apply --drop",
	}, viewsPrintCommand(s), viewsApplyCommand(s))
}

func viewsPrintCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "print",
		Short:   "Print the SQL of the views that the plan asks for",
		Example: "  sparrow views print > views.sql\n  sparrow views print --dialect bigquery",
		Args:    exactArgs(),
	}
	dialect := cmd.Flags().String("dialect", "", "duckdb or bigquery (default the warehouse that is configured)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		settings, err := s.settings()
		if err != nil {
			return err
		}
		statements, err := settings.ViewStatements(*dialect)
		if err != nil {
			return usageError{err}
		}
		for _, statement := range statements {
			fmt.Fprintf(cmd.OutOrStdout(), "%s;\n\n", strings.TrimRight(statement, "; \n"))
		}
		return nil
	}
	return cmd
}

func viewsApplyCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Bring the views in line with the plan",
		Long: `Brings the views in line with the plan. A running gateway does so by itself when
the plan changes, but never drops a column: one whose property is no longer in
the plan stays until it is dropped here.`,
		Example: "  sparrow views apply\n  sparrow views apply --drop",
		Args:    exactArgs(),
	}
	drop := cmd.Flags().Bool("drop", false, "drop columns whose property is no longer in the plan")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		client, err := s.running(cmd.Context())
		if err != nil {
			return err
		}
		defer client.Close()
		change, err := client.ApplyViews(cmd.Context(), *drop)
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		for _, line := range []struct {
			what    string
			columns []string
		}{{"added", change.Added}, {"dropped", change.Dropped}, {"kept, though no longer in the plan (--drop drops them)", change.Kept}} {
			if len(line.columns) > 0 {
				fmt.Fprintf(out, "%s: %s\n", line.what, strings.Join(line.columns, ", "))
			}
		}
		fmt.Fprintln(out, "the views agree with the plan")
		return nil
	}
	return cmd
}
