package command

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func healthCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "health",
		Short:   "Ask a gateway whether it is alive, for container health checks",
		Example: "  sparrow health --url http://127.0.0.1:8080/healthz",
		Args:    exactArgs(),
	}
	url := cmd.Flags().String("url", "http://127.0.0.1:8080/healthz", "what to ask; /readyz says whether it can take events")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		client := &http.Client{Timeout: 3 * time.Second}
		defer client.CloseIdleConnections()
		req, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, *url, nil)
		if err != nil {
			return usagef("--url: want an address such as http://127.0.0.1:8080/healthz")
		}
		resp, err := client.Do(req)
		if err != nil {
			return fmt.Errorf("ask for health: %w", err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("ask for health: status %d", resp.StatusCode)
		}
		fmt.Fprintln(cmd.OutOrStdout(), "ok")
		return nil
	}
	return cmd
}
