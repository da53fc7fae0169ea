package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

func planCommand(s *session) *cobra.Command {
	cmd := asGroup(&cobra.Command{
		Use:     "plan",
		Short:   "Check the tracking plan",
		Example: "  sparrow plan check",
	})
	cmd.AddCommand(planCheckCommand(s))
	return cmd
}

func planCheckCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the plan: keys, types, trackers, columns of the views",
		Long: `Checks the plan that the configuration names: unknown keys with their nearest
match, properties of two types, names that would collide as columns, trackers
that are not configured. Says what the plan allows.`,
		Example: "  sparrow plan check --config sparrow.yaml",
		Args:    exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := s.settings()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, version %s, %d events, %d columns\n",
				settings.PlanFile(), settings.Plan.Version(), len(settings.Plan.Events()), len(settings.Plan.Columns()))
			return nil
		},
	}
}
