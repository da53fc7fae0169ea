package command

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func versionCommand(s *invocation) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the release, the Go version and the vendors built in",
		Example: "  sparrow version",
		Args:    exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "sparrow %s (%s %s/%s)\n", s.program.Release, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			for _, kind := range s.program.Kinds {
				fmt.Fprintf(out, "  %-12s %s\n", kind.Name, kind.Summary)
			}
			return nil
		},
	}
}
