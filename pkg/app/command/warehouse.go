package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/gateway"
)

func warehouseCommand(s *session) *cobra.Command {
	cmd := asGroup(&cobra.Command{
		Use:     "warehouse",
		Short:   "Check what the gateway may do in BigQuery",
		Example: "  sparrow warehouse check",
	})
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
			list, err := gateway.Permissions(cmd.Context(), settings)
			if err != nil {
				return err
			}
			missing := 0
			out := cmd.OutOrStdout()
			for _, p := range list {
				if p.Err == nil {
					fmt.Fprintf(out, "ok       %-28s %s\n", p.Name, p.For)
					continue
				}
				missing++
				fmt.Fprintf(out, "missing  %-28s %s\n         grant %s\n         %v\n", p.Name, p.For, p.Role, p.Err)
			}
			if missing > 0 {
				return fmt.Errorf("%d of %d permissions are missing", missing, len(list))
			}
			return nil
		},
	})
	return cmd
}
