package command

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/gateway"
)

func warehouseCommand(s *invocation) *cobra.Command {
	return asGroup(&cobra.Command{
		Use:     "warehouse",
		Short:   "Check what the gateway may do in BigQuery; count its old days",
		Example: "  sparrow warehouse check\n  sparrow warehouse count --dry-run",
	}, countCommand(s), &cobra.Command{
		Use:   "check",
		Short: "Try each permission that the gateway needs, and say what is missing",
		Long: `Tries each permission that the gateway needs in BigQuery, with the credentials of
the configuration, on a table that it makes and deletes again. It says what is
missing and which role to grant, and then fails.`,
		Example: "  sparrow warehouse check --config sparrow.yaml",
		Args:    exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := s.settings()
			if err != nil {
				return err
			}
			access, err := gateway.CheckAccess(cmd.Context(), settings)
			lacking := 0
			if access != nil {
				lacking = printAccess(cmd.OutOrStdout(), access)
			}
			if err != nil {
				return err
			}
			if lacking > 0 {
				return fmt.Errorf("%d of %d checks did not pass: grant what is missing and check again", lacking, len(access.Permissions))
			}
			return nil
		},
	})
}

// printAccess prints a line for each permission and, under one that is missing,
// what to grant and what BigQuery said. It returns how many did not pass.
func printAccess(out io.Writer, a *gateway.Access) (lacking int) {
	fmt.Fprintf(out, "dataset %s of project %s, as %s\n", a.Dataset, a.Project, a.Account)
	for _, p := range a.Permissions {
		state := "ok"
		switch {
		case p.Missing():
			state = "missing"
		case p.Untried():
			state = "untried"
		case p.Err != nil:
			state = "failed"
		}
		fmt.Fprintf(out, "%-8s %-28s %s\n", state, p.Name, p.For)
		if p.Missing() {
			fmt.Fprintf(out, "         grant %s\n", p.Role)
		}
		if p.Err != nil {
			lacking++
			fmt.Fprintf(out, "         %s\n", printable(p.Err.Error()))
		}
	}
	return lacking
}
