package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/plan"
)

func planCommand(s *invocation) *cobra.Command {
	return asGroup(&cobra.Command{
		Use:     "plan",
		Short:   "Check the tracking plan; make types of it",
		Example: "  sparrow plan check\n  sparrow plan types > src/sparrow-events.d.ts",
	}, planCheckCommand(s), planTypesCommand(s))
}

func planCheckCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the plan: keys, types, trackers, columns of the views",
		Long: `Checks the plan that the configuration names: unknown keys with their nearest
match, properties of two types, names that would collide as columns, trackers
that are not configured, columns beyond the limits of the warehouse. Says what the
plan allows.

With --against-data it also compares the plan with the events in the warehouse: for
each event and property it says which share of the values has another type than the
plan's ("3.2% text"), and which properties events have that the plan does not list.
No value is printed. It reads a bounded number of events of the last days, and
fails if a value has another type.`,
		Example: "  sparrow plan check --config sparrow.yaml\n  sparrow plan check --against-data --days 1",
		Args:    exactArgs(),
	}
	format := addFormat(cmd)
	againstData := cmd.Flags().Bool("against-data", false, "compare the plan with the events in the warehouse")
	days := cmd.Flags().Int("days", 7, "with --against-data: how many days, today included")
	events := cmd.Flags().Int("max-events", 100_000, "with --against-data: read so many events of a day at most")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(*format); err != nil {
			return err
		}
		if *days < 1 || *days > 400 || *events < 1 {
			return usagef("--days %d, --max-events %d: want 1 to 400 days, and at least one event", *days, *events)
		}
		settings, err := s.settings()
		if err != nil {
			return err
		}
		if err := settings.CheckColumns(); err != nil {
			return usageError{fmt.Errorf("%s: %w", settings.PlanFile(), err)}
		}
		if *format == "table" || !*againstData {
			fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, version %s, %d events, %d columns\n",
				settings.PlanFile(), settings.Plan.Version(), len(settings.Plan.Events()), len(settings.Plan.Columns()))
		}
		if !*againstData {
			return nil
		}
		return s.checkData(cmd, settings, *days, *events, *format)
	}
	return cmd
}

func planTypesCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "types",
		Short: "Print types of the plan for the browser SDK: a wrong event or property does not compile",
		Long: `Prints a TypeScript declaration file made of the plan. Put it among the sources of
a page that uses the browser SDK: from then on a name or a property that the plan
does not have is an error of the compiler, and costs nothing at run time.`,
		Example: "  sparrow plan types > src/sparrow-events.d.ts\n  sparrow plan types --plan plan.yaml    # without a configuration",
		Args:    exactArgs(),
	}
	lang := cmd.Flags().String("lang", "ts", "the language: ts")
	file := cmd.Flags().String("plan", "", "a plan's file (default: the one that the configuration names)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *lang != "ts" {
			return usagef("--lang %q: want ts", *lang)
		}
		p, err := s.plan(*file)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(cmd.OutOrStdout(), p.TypeScript())
		return err
	}
	return cmd
}

// plan is the plan of a file, or the one that the configuration names.
func (s *invocation) plan(file string) (*plan.Plan, error) {
	if file == "" {
		settings, err := s.settings()
		if err != nil {
			return nil, err
		}
		return settings.Plan, nil
	}
	p, err := plan.Load(file)
	if err != nil {
		return nil, usageError{err}
	}
	return p, nil
}
