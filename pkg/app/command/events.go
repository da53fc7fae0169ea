package command

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
)

func eventsCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "events ID",
		Short: "Say where one event went, tracker by tracker",
		Long: `Prints the way of an event, by its event id or its receipt: what was stored, and
its outcome at each tracker with the reason. An event that was held back was
not stored row by row: its reason is worked out again from the plan that was in
force. With --request the exact request each vendor gets is shown, secrets
masked, after the one that goes before it, where the vendor checks events first.`,
		Example: "  sparrow events 0190a5e2-7c1b-7cc0-8b4e-1f2e3d4c5b6a\n  sparrow events 0190a5e2-7c1b-7cc0-8b4e-1f2e3d4c5b6a --request",
		Args:    exactArgs("ID"),
	}
	request := cmd.Flags().Bool("request", false, "show the exact request each vendor gets")
	format := cmd.Flags().String("format", "text", "how to print: text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *format != "text" && *format != "json" {
			return usagef("--format %q: want text or json", *format)
		}
		ops, err := s.stored(cmd.Context())
		if err != nil {
			return err
		}
		defer ops.Close()
		ways, err := ops.Event(cmd.Context(), args[0], *request)
		if err != nil {
			return err
		}
		if *format == "json" {
			return writeJSON(cmd.OutOrStdout(), ways, "  ")
		}
		for i, way := range ways {
			if i > 0 {
				fmt.Fprintln(cmd.OutOrStdout())
			}
			printWay(cmd.OutOrStdout(), way)
		}
		return nil
	}
	return cmd
}

func printWay(w io.Writer, way admin.Trail) {
	fmt.Fprintf(w, "event     %s\n", printable(way.Event))
	fmt.Fprintf(w, "event id  %s\n", printable(way.EventID))
	fmt.Fprintf(w, "receipt   %s\n", way.Receipt)
	fmt.Fprintf(w, "source    %s\n", printable(way.Source))
	fmt.Fprintf(w, "received  %s\n", way.ReceivedAt.UTC().Format(time.RFC3339Nano))
	if way.Duplicate {
		fmt.Fprintln(w, "duplicate of an earlier event with this id: kept, sent to no vendor")
	}
	fmt.Fprintf(w, "data      %s\n", printable(way.Data))
	if len(way.Steps) > 0 {
		fmt.Fprintln(w)
	}
	for _, hop := range way.Steps {
		printHop(w, hop)
	}
}

func printHop(w io.Writer, hop admin.TrailStep) {
	line := fmt.Sprintf("%-12s %s", hop.Tracker, hop.Outcome)
	if hop.Reason != "" {
		line += ": " + printable(hop.Reason)
	}
	var details []string
	if hop.Status != 0 {
		details = append(details, fmt.Sprintf("status %d", hop.Status))
	}
	if hop.Attempts > 1 {
		details = append(details, fmt.Sprintf("%d attempts", hop.Attempts))
	}
	if hop.Latency > 0 {
		details = append(details, fmt.Sprintf("%.0f ms", hop.Latency))
	}
	if hop.Run > 0 {
		details = append(details, fmt.Sprintf("replay %d", hop.Run))
	}
	if !hop.Time.IsZero() {
		details = append(details, hop.Time.UTC().Format(time.RFC3339))
	}
	if len(details) > 0 {
		line += "  (" + strings.Join(details, ", ") + ")"
	}
	fmt.Fprintln(w, line)
	if hop.Error != "" {
		fmt.Fprintf(w, "             %s\n", printable(hop.Error))
	}
	for _, name := range slices.Sorted(maps.Keys(hop.Property)) {
		fmt.Fprintf(w, "             %s: %s\n", printable(name), printable(hop.Property[name]))
	}
	for i := range hop.Requests {
		printRequest(w, &hop.Requests[i])
	}
}

func printRequest(w io.Writer, r *admin.Request) {
	fmt.Fprintf(w, "             %s %s\n", r.Method, printable(r.URL))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(w, "             %s: %s\n", name, printable(r.Header[name]))
	}
	fmt.Fprintf(w, "             %s\n", printable(r.Body))
}
