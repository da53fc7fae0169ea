package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
)

func tailCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tail",
		Short:   "Print events as they are taken",
		Long:    "Prints every event that the gateway takes from now on, until it is interrupted.",
		Example: "  sparrow tail\n  sparrow tail --source dashboard --event \"purchase product\" --format json",
		Args:    exactArgs(),
	}
	var filter admin.TailFilter
	cmd.Flags().StringVar(&filter.Source, "source", "", "this source only")
	cmd.Flags().StringVar(&filter.Event, "event", "", "this event name only")
	format := cmd.Flags().String("format", "text", "how to print: text or json (an object a line)")
	count := cmd.Flags().Int("count", 0, "end after so many events; 0 goes on until interrupted")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := oneOf("format", *format, "text", "json"); err != nil {
			return err
		}
		client, err := s.running(cmd.Context())
		if err != nil {
			return err
		}
		defer client.Close()
		print := tailPrinter(cmd, *format)
		left := *count
		err = client.Tail(cmd.Context(), filter, func(e admin.TailEvent) error {
			if err := print(e); err != nil {
				return err
			}
			if left--; left == 0 {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) || errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	return cmd
}

var errEnough = errors.New("enough")

func tailPrinter(cmd *cobra.Command, format string) func(admin.TailEvent) error {
	if format == "json" {
		return func(e admin.TailEvent) error { return writeJSON(cmd.OutOrStdout(), e, "") }
	}
	return func(e admin.TailEvent) error {
		note := e.Note
		if note != "" {
			note = "  [" + note + "]"
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  %s  %q  device=%s  %s%s\n", e.ReceivedAt.Local().Format(time.TimeOnly),
			printable(e.Source), printable(e.EventID), e.Event, printable(e.DeviceID), printable(e.Data), printable(note))
		return err
	}
}
