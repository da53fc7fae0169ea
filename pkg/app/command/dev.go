package command

import (
	"fmt"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/app/gateway"
	"github.com/sparrow-edge/sparrow/pkg/loopback"
)

func devCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Try Sparrow: nothing to configure, nothing leaves this machine",
		Long: `Runs a gateway on this machine: a source with a known key, journal and DuckDB in
./data, a demo page, and the vendors GA4, Heap and Amplitude in dry-run: their
requests are built and recorded, nothing is sent. It answers to localhost only.`,
		Example: "  sparrow dev\n  sparrow dev --listen 127.0.0.1:9000 --data /tmp/sparrow",
		Args:    exactArgs(),
	}
	var options config.DevOptions
	cmd.Flags().StringVar(&options.Listen, "listen", "", "a loopback address (default 127.0.0.1:8080)")
	cmd.Flags().StringVar(&options.Data, "data", "", "the directory of journal and warehouse (default ./data)")
	verbose := cmd.Flags().Bool("verbose", false, "log what the gateway does")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkLoopback(options.Listen); err != nil {
			return err
		}
		settings, err := config.Dev(s.program.Kinds, options)
		if err != nil {
			return err
		}
		level := slog.LevelWarn
		if *verbose {
			level = slog.LevelInfo
		}
		return s.run(cmd.Context(), settings, s.logger(false, level), func(g *gateway.Gateway) {
			fmt.Fprint(cmd.OutOrStdout(), welcome(g.URL(), settings))
		})
	}
	return cmd
}

func checkLoopback(address string) error {
	if address == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return usagef("--listen %q: want an address such as 127.0.0.1:8080", address)
	}
	if !loopback.IsHost(host) {
		return usagef("--listen %q: sparrow dev has no secrets and listens on loopback only; use `sparrow serve` for others", address)
	}
	return nil
}

func welcome(url string, s *config.Settings) string {
	key := s.Config.Intake.Sources[0].Keys[0]
	return fmt.Sprintf(`Sparrow is running.

  demo page    %[1]s/
  write key    %[2]s
  data         %[3]s   (journal, DuckDB)
  API          %[1]s/docs

Try, in another terminal, in this directory:

  curl '%[1]s/v1/events?key=%[2]s' -H 'Content-Type: application/json' \
    -d '{"event":"purchase product","deviceId":"desktop1","userId":"michelle1","eventId":"first-purchase","properties":{"category":"billing","productName":"workers"}}'

  bin/sparrow query "select event, deviceId, userId, category, productName from raw_normalized where event='purchase product'"
  bin/sparrow events first-purchase --request
  bin/sparrow tail

Press Ctrl-C to stop.
`, url, key, s.Config.Data)
}
