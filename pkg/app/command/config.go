package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

func configCommand(s *invocation) *cobra.Command {
	return asGroup(&cobra.Command{
		Use:     "config",
		Short:   "Check the configuration",
		Example: "  sparrow config check",
	}, &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, the plan and every tracker, without starting anything",
		Long: `Reads the configuration and the plan as ` + "`serve`" + ` would, and says everything that
is wrong with them, with file, line and what to do.`,
		Example: "  sparrow config check --config sparrow.yaml",
		Args:    exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := s.settings()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "%s: ok\n", settings.File)
			for _, source := range settings.Config.Intake.Sources {
				fmt.Fprintf(out, "  source   %s\n", source.Name)
			}
			for _, tracker := range settings.Trackers {
				fmt.Fprintf(out, "  tracker  %s (%s, %s)\n", tracker.Lane.Name, tracker.Kind, tracker.Lane.Mode)
			}
			return nil
		},
	})
}
