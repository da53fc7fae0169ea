package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Program is what the commands need to know of the binary they are part of.
type Program struct {
	Kinds          []tracker.Kind // the vendors it was built with
	Release        string
	Stdout, Stderr io.Writer
	Env            func(string) (string, bool) // looks up an environment variable
}

// usageError marks a call or a configuration that is wrong.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Run runs the command line with these arguments (without the program's name)
// and returns the exit code. Errors are printed to Stderr.
func Run(ctx context.Context, p Program, args []string) int {
	root := newRoot(p)
	root.SetArgs(args)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	// An error may repeat what a client sent, such as a value that DuckDB cannot cast.
	fmt.Fprintf(p.Stderr, "sparrow: %s\n", withoutControls(err.Error()))
	if advice := fault.StorageAdvice(err); advice != "" {
		fmt.Fprintf(p.Stderr, "sparrow: %s\n", advice)
	}
	if _, wrong := errors.AsType[usageError](err); wrong {
		return 2
	}
	return 1
}

func newRoot(p Program) *cobra.Command {
	s := &invocation{program: p}
	root := &cobra.Command{
		Use:   "sparrow",
		Short: "A first-party event gateway: every event kept, every delivery accounted for",
		Long: `Sparrow takes events from browsers and servers, makes each durable before it
answers, keeps the raw payloads in your warehouse, and sends what your plan
allows to your vendors, from the server. It can say where every event went.

Start with ` + "`sparrow dev`" + `: it needs no configuration.`,
		Example: `  sparrow dev
  sparrow serve --config sparrow.yaml
  sparrow query "select event, count(*) from raw_normalized group by 1"`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentFlags().StringVar(&s.configPath, "config", "", "the configuration file (default ./sparrow.yaml)")
	return asGroup(root,
		devCommand(s), serveCommand(s), queryCommand(s), eventsCommand(s), tailCommand(s), reconcileCommand(s),
		trackersCommand(s), planCommand(s), viewsCommand(s), warehouseCommand(s), configCommand(s), healthCommand(), versionCommand(s),
	)
}

// exactArgs is cobra.ExactArgs with an error that says what is missing.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(names) == 0 {
			return usagef("%s takes no arguments; see `%s --help`", cmd.CommandPath(), cmd.CommandPath())
		}
		return usagef("%s takes %d argument(s): %v; see `%s --help`", cmd.CommandPath(), len(names), names, cmd.CommandPath())
	}
}

// asGroup makes a command that only groups subcommands: alone it prints its help; with
// an unknown subcommand it fails and names the most similar one.
func asGroup(cmd *cobra.Command, subcommands ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(subcommands...)
	cmd.SuggestionsMinimumDistance = 2
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("did you mean %q?", near[0])
		}
		return usagef("unknown command %q for %q; %s", args[0], cmd.CommandPath(), hint)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}
