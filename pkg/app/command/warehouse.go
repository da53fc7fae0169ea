package command

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/gateway"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
)

func warehouseCommand(s *invocation) *cobra.Command {
	cmd := asGroup(&cobra.Command{
		Use:     "warehouse",
		Short:   "Check what the gateway may do in BigQuery; count its old days",
		Example: "  sparrow warehouse check\n  sparrow warehouse count --dry-run",
	})
	cmd.AddCommand(countCommand(s))
	cmd.AddCommand(&cobra.Command{
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
			if access != nil {
				printAccess(cmd.OutOrStdout(), access)
			}
			if err != nil {
				return err
			}
			if lacking := countLacking(access.Permissions); lacking > 0 {
				return fmt.Errorf("%d of %d checks did not pass: grant what is missing and check again", lacking, len(access.Permissions))
			}
			return nil
		},
	})
	return cmd
}

func countLacking(list []bigquery.Permission) (n int) {
	for _, p := range list {
		if p.Err != nil {
			n++
		}
	}
	return n
}

// printAccess prints a line for each permission and, under one that is missing,
// what to grant and what BigQuery said.
func printAccess(out io.Writer, a *gateway.Access) {
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
			fmt.Fprintf(out, "         %s\n", printable(p.Err.Error()))
		}
	}
}
